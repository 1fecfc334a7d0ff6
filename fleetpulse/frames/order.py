"""Whether records come in the order of their time, each partition for itself."""

from collections import defaultdict
from collections.abc import Sequence


class PartitionOrder:
    """How far each partition has come: the highest seen time read of it.

    Args:
        bound_ms: how far records may be out of order; what is further behind is belated.
    """

    def __init__(self, bound_ms: int) -> None:
        self._bound_ms = bound_ms
        self._newest_ms: defaultdict[int, int] = defaultdict(int)
        self.out_of_order = 0
        """How many accepted records were older than one of their partition that was read before."""

    def belated(
        self,
        origins: Sequence[int],
        seen_times_ms: Sequence[int],
        rejected: Sequence[int] = (),
        latest_ms: int | None = None,
    ) -> dict[int, int]:
        """The records of a batch that are belated: index to the partition time when they came, epoch ms.

        Args:
            origins: the partition of each, see `frames.frame.Original`.
            seen_times_ms: the seen time of each; 0 where it has none.
            rejected: the indices of those that move no partition time.
            latest_ms: a later record moves no partition time either.
        """
        if rejected:
            seen_times_ms = list(seen_times_ms)
            for index in rejected:
                seen_times_ms[index] = -seen_times_ms[index]
        if latest_ms is not None and max(seen_times_ms, default=0) > latest_ms:
            seen_times_ms = [-time_ms if time_ms > latest_ms else time_ms for time_ms in seen_times_ms]
        before_ms = self._newest_ms.copy()
        if not self._advance(origins, seen_times_ms):
            return {}
        belated: dict[int, int] = {}
        for index, (origin, time_ms) in enumerate(zip(origins, seen_times_ms, strict=True)):
            newest = before_ms[origin]
            if time_ms > newest:
                before_ms[origin] = time_ms
            elif time_ms and abs(time_ms) < newest - self._bound_ms:
                belated[index] = newest
        return belated

    def _advance(self, origins: Sequence[int], seen_times_ms: Sequence[int]) -> bool:
        """Bring the partition times up to date. Returns whether any record is belated: which, takes another pass."""
        newest_ms, bound_ms, out_of_order, any_belated = self._newest_ms, self._bound_ms, 0, False
        for origin, time_ms in zip(origins, seen_times_ms, strict=True):
            newest = newest_ms[origin]
            if time_ms > newest:
                newest_ms[origin] = time_ms
            elif time_ms < newest and time_ms:
                out_of_order += time_ms > 0
                any_belated = any_belated or abs(time_ms) < newest - bound_ms
        self.out_of_order += out_of_order
        return any_belated
