"""Heartbeats of one shard: they wait for the watermark in its log, then the inactivity watch decides by them."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fleetpulse.inactivity.timeouts import InactivityPolicy
from fleetpulse.inactivity.watch import Devices, Heartbeat, InactivityOutput, InactivityWatch
from fleetpulse.rules.versions import Versions
from fleetpulse.shard.log import Pending, ShardLog


@dataclass(slots=True)
class _Waiting:
    """Heartbeats in the log under `key`, of which some are not decided yet. Sorted once, when the first is due."""

    earliest_ms: int
    key: int
    pending: Pending
    heartbeats: list[Heartbeat] | None = None


class HeartbeatQueue:
    """The heartbeats that wait, and the watch that decides by them.

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
        for key, heartbeats in pending.items():
            self._wait(key, heartbeats)

    @property
    def next_instant_ms(self) -> int | None:
        """When something is due without a heartbeat."""
        return self.watch.next_instant_ms

    @property
    def waits_from_ms(self) -> int | None:
        """When the first heartbeat that is not decided was given."""
        return min((waiting.earliest_ms for waiting in self._waiting), default=None)

    def accept(self, pending: Pending) -> Sequence[InactivityOutput]:
        """Take heartbeats. Those whose time is decided already can end an alert, and change no instant."""
        if not pending.devices:
            return []
        decided = self.watch.decided_until_ms
        if min(pending.seen_times_ms) > decided:
            self._wait(self._log.append(pending), pending)
            return []
        heartbeats = pending.heartbeats_after(-1)
        past = heartbeats[: bisect_left(heartbeats, (decided + 1, ""))]
        if future := heartbeats[len(past) :]:
            rest = Pending([device for _, device in future], [at for at, _ in future])
            self._wait(self._log.append(rest), rest)
        return self.watch.advance(past, decided)

    def _wait(self, key: int, pending: Pending) -> None:
        self._waiting.append(_Waiting(min(pending.seen_times_ms), key, pending))

    def advance(self, watermark_ms: int, until_ms: int) -> list[InactivityOutput]:
        """Decide the heartbeats that the watermark has passed, and every instant up to `until_ms`."""
        return self.watch.advance(self._take_due(watermark_ms), until_ms)

    def _take_due(self, watermark_ms: int) -> list[Heartbeat]:
        due: list[Heartbeat] = []
        for waiting in self._waiting:
            if waiting.earliest_ms <= watermark_ms:
                due += self._take_due_of(waiting, watermark_ms)
        self._waiting = [waiting for waiting in self._waiting if waiting.heartbeats != []]
        due.sort()
        return due

    def _take_due_of(self, waiting: _Waiting, watermark_ms: int) -> list[Heartbeat]:
        decided = self.watch.decided_until_ms
        heartbeats = waiting.pending.heartbeats_after(decided) if waiting.heartbeats is None else waiting.heartbeats
        until = bisect_left(heartbeats, (watermark_ms + 1, ""))
        waiting.heartbeats = heartbeats[until:]
        if waiting.heartbeats:
            waiting.earliest_ms = waiting.heartbeats[0][0]
        else:
            self._log.remove(waiting.key)
        return heartbeats[:until]

    def write(self) -> None:
        """Write to the log which devices have changed."""
        changed = self.watch.take_changed()
        if changed.ids:
            self._log.append_changes(changed)
            if self._log.needs_rewrite():
                self._log.rewrite(self.watch.devices())
