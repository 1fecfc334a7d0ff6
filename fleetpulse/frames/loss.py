"""Records that were deleted before they were read, found where a partition's offsets jump.

A jump alone says little: markers of transactions, aborted transactions and compaction leave offsets out too. What lies
before the first offset that the broker still has was deleted.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple


class Gap(NamedTuple):
    """How many records of a partition are lost, at most, and when (epoch ms) the first one after them was sent."""

    records: int
    until_ms: int


class _Jump(NamedTuple):
    """Offsets that were not read, from the first to before the second, and when the record after them was sent."""

    start: int
    end: int
    until_ms: int


class LossWatch:
    """Follows the offsets of the partitions of one subtask.

    Args:
        left_off: where reading of a partition goes on after a restart; None where it never began, or nobody knows.
        log_start: the first offset that a partition still has; None while it is unknown.
    """

    def __init__(self, left_off: Callable[[int], int | None], log_start: Callable[[int], int | None]) -> None:
        self._left_off, self._log_start = left_off, log_start
        self._next: dict[int, int] = {}
        self._jumps: dict[int, list[_Jump]] = defaultdict(list)

    def lost(self, origins: Iterable[int], offsets: Iterable[int], times_ms: Iterable[int]) -> Mapping[int, Gap]:
        """What a batch shows to be lost, by origin (see `frames.frame.Original`).

        Args:
            origins: the partition of each record.
            offsets: of each record; those of a partition only grow.
            times_ms: the Kafka timestamp of each record.
        """
        following = self._next
        for origin, offset, time_ms in zip(origins, offsets, times_ms, strict=True):
            if following.get(origin) != offset:
                expected = following[origin] if origin in following else self._left_off(origin)
                if expected is not None and offset > expected:
                    self._jumps[origin].append(_Jump(expected, offset, time_ms))
            following[origin] = offset + 1
        return self._explained() if self._jumps else {}

    def _explained(self) -> Mapping[int, Gap]:
        gaps: dict[int, Gap] = {}
        for origin, jumps in list(self._jumps.items()):
            start = self._log_start(origin)
            if start is None:
                continue  # another batch will ask again
            del self._jumps[origin]
            deleted = [(min(jump.end, start) - jump.start, jump.until_ms) for jump in jumps if jump.start < start]
            if deleted:
                gaps[origin] = Gap(sum(records for records, _ in deleted), max(until_ms for _, until_ms in deleted))
        return gaps
