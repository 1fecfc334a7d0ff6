"""Signs of life of one shard: they wait for the watermark in its log, then the inactivity watch decides by them."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fleetpulse.inactivity.timeouts import InactivityPolicy
from fleetpulse.inactivity.watch import Devices, InactivityWatch, LifeSign, Verdict
from fleetpulse.rules.versions import Versions
from fleetpulse.shard.log import Pending, ShardLog


@dataclass(slots=True)
class _Waiting:
    """Signs of life in the log under `key`, of which some are not decided yet. Sorted once, when the first is due."""

    earliest_ms: int
    key: int
    pending: Pending
    signs: list[LifeSign] | None = None


class LifeWatch:
    """The signs of life that wait, and the watch that decides by them.

    Args:
        policy: when silence is an alert.
        log: where all is written that must survive.
        devices: as they were written before.
        pending: what waited then, by its key in the log.
        decided_until_ms: the shard's clock.
        versions: of the rules, as they were known then.
        owns: whether a device belongs to this shard.
    """

    def __init__(
        self,
        policy: InactivityPolicy,
        log: ShardLog,
        devices: Devices,
        pending: Mapping[int, Pending],
        decided_until_ms: int,
        versions: Versions,
        owns: Callable[[str], bool],
    ) -> None:
        self._log = log
        self.watch = InactivityWatch(policy, devices, decided_until_ms, versions, owns)
        self._waiting: list[_Waiting] = []
        for key, signs in pending.items():
            self._wait(key, signs)

    @property
    def next_instant_ms(self) -> int | None:
        """When something is due without a sign of life."""
        return self.watch.next_instant_ms

    @property
    def waits_from_ms(self) -> int | None:
        """When the first sign of life that is not decided was given."""
        return min((waiting.earliest_ms for waiting in self._waiting), default=None)

    def accept(self, pending: Pending) -> Sequence[Verdict]:
        """Take signs of life. Those whose time is decided already can end an alert, and change no instant."""
        if not pending.devices:
            return []
        decided = self.watch.decided_until_ms
        if min(pending.life_times_ms) > decided:
            self._wait(self._log.append(pending), pending)
            return []
        signs = pending.signs_after(-1)
        past = signs[: bisect_left(signs, (decided + 1, ""))]
        if future := signs[len(past) :]:
            rest = Pending([device for _, device in future], [at for at, _ in future])
            self._wait(self._log.append(rest), rest)
        return self.watch.advance(past, decided)

    def _wait(self, key: int, pending: Pending) -> None:
        self._waiting.append(_Waiting(min(pending.life_times_ms), key, pending))

    def advance(self, watermark_ms: int, until_ms: int) -> list[Verdict]:
        """Decide the signs of life that the watermark has passed, and every instant up to `until_ms`."""
        return self.watch.advance(self._take_due(watermark_ms), until_ms)

    def _take_due(self, watermark_ms: int) -> list[LifeSign]:
        due: list[LifeSign] = []
        for waiting in self._waiting:
            if waiting.earliest_ms <= watermark_ms:
                due += self._take_due_of(waiting, watermark_ms)
        self._waiting = [waiting for waiting in self._waiting if waiting.signs != []]
        due.sort()
        return due

    def _take_due_of(self, waiting: _Waiting, watermark_ms: int) -> list[LifeSign]:
        decided = self.watch.decided_until_ms
        signs = waiting.pending.signs_after(decided) if waiting.signs is None else waiting.signs
        until = bisect_left(signs, (watermark_ms + 1, ""))
        waiting.signs = signs[until:]
        if waiting.signs:
            waiting.earliest_ms = waiting.signs[0][0]
        else:
            self._log.remove(waiting.key)
        return signs[:until]

    def write(self) -> None:
        """Write to the log which devices have changed."""
        changed = self.watch.take_changed()
        if changed.ids:
            self._log.append_changes(changed)
            if self._log.needs_rewrite():
                self._log.rewrite(self.watch.devices())
