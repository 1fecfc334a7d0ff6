"""Heartbeats of one shard: they wait for the watermark in its log, then silence and clocks are decided by them.

Which heartbeats a frame holds, and when they count, is docs/decisions/0020-who-says-a-device-lives.md.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fleetpulse.alerts import AlertState, Revision
from fleetpulse.frames.frame import Frame, Original
from fleetpulse.inactivity.clocks import ClockWatch, Offset
from fleetpulse.inactivity.devices import InactivityOutput
from fleetpulse.inactivity.timeouts import Heartbeat, InactivityPolicy
from fleetpulse.inactivity.watch import InactivityWatch
from fleetpulse.rules.versions import Versions
from fleetpulse.shard.clock import Broker
from fleetpulse.shard.entries import Clocks, Heard, Pending
from fleetpulse.shard.log import RestoredHeartbeats, ShardLog


class Heartbeats(NamedTuple):
    """The heartbeats of a frame: those of records in order, and those that count when they were heard."""

    in_order: Pending
    heard: Heard


_NOBODY = Heard([], [], [])


def heartbeats_of(
    frame: Frame, originals: Sequence[Original], decided_until_ms: int, broker: Broker | None
) -> Heartbeats:
    """The heartbeats of a frame.

    Args:
        frame: what has come.
        originals: the records behind its readings, if any of them is late; without them the frame tells all of these.
        decided_until_ms: the shard's clock.
        broker: the broker's clock, where it is known.
    """
    devices, seen_ms = frame.readings.devices, frame.seen_times_ms
    latest_ms = broker.latest_ms if broker is not None else None
    exceptions = set(frame.heard_times_ms)
    if seen_ms and min(seen_ms) <= decided_until_ms:
        exceptions.update(at for at, time_ms in enumerate(seen_ms) if time_ms <= decided_until_ms)
    if latest_ms is not None and seen_ms and max(seen_ms) > latest_ms:
        exceptions.update(at for at, time_ms in enumerate(seen_ms) if time_ms > latest_ms)
    heard = Heard([], [], []) if exceptions or frame.rejected else _NOBODY

    def hear(
        device: str, seen_at_ms: int, event_time_ms: int, partition_time_ms: int | None, kafka_time_ms: int
    ) -> None:
        heard_at_ms = seen_at_ms if partition_time_ms is None else max(seen_at_ms, partition_time_ms)
        if seen_at_ms <= decided_until_ms:
            heard_at_ms = max(heard_at_ms, min(kafka_time_ms, decided_until_ms))
        if broker is not None and heard_at_ms > broker.latest_ms:
            heard_at_ms = broker.now_ms
        heard.devices.append(device)
        heard.heard_times_ms.append(heard_at_ms)
        heard.event_times_ms.append(event_time_ms)

    for at in sorted(exceptions):
        partition_time_ms = frame.heard_times_ms.get(at)
        kafka_time_ms = originals[at].kafka_time_ms if originals else partition_time_ms or decided_until_ms
        hear(devices[at], seen_ms[at], frame.readings.event_times_ms[at], partition_time_ms, kafka_time_ms)
    if exceptions:
        devices = [device for at, device in enumerate(devices) if at not in exceptions]
        seen_ms = [time_ms for at, time_ms in enumerate(seen_ms) if at not in exceptions]
    if frame.rejected:
        devices, seen_ms = devices.copy(), seen_ms.copy()
    for record in frame.rejected:
        device, at_ms = record.device_id, record.seen_at_ms
        if device is None or at_ms is None:
            continue
        comes_in_order = record.heard_at_ms is None and at_ms > decided_until_ms and not record.ahead_ms
        if comes_in_order and (latest_ms is None or at_ms <= latest_ms):
            devices.append(device)
            seen_ms.append(at_ms)
        else:
            hear(device, at_ms, at_ms + record.ahead_ms, record.heard_at_ms, record.original.kafka_time_ms)
    return Heartbeats(Pending(devices, seen_ms), heard)


def heard_beside_readings(frame: Frame, heard: Heard) -> dict[str, int]:
    """When devices were heard by records that rules do not see."""
    times_ms = {r.device_id: r.seen_at_ms for r in frame.rejected if r.device_id is not None and r.seen_at_ms}
    for device, heard_at_ms in zip(heard.devices, heard.heard_times_ms, strict=True):
        times_ms[device] = max(heard_at_ms, times_ms.get(device, 0))
    return times_ms


@dataclass(slots=True)
class _Waiting:
    """Heartbeats in the log under `key`, of which some are not decided yet. Sorted once, when the first is due."""

    earliest_ms: int
    key: int
    pending: Pending
    heartbeats: list[Heartbeat] | None = None


class _WaitingHeard:
    """Heartbeats in the log under `key` that count when they were heard, and what they claim, if not decided yet."""

    def __init__(self, key: int, heard: Heard, decided_until_ms: int) -> None:
        self.key = key
        rows = list(zip(heard.heard_times_ms, heard.devices, heard.event_times_ms, strict=True))
        self.claims = sorted((event_ms, device) for at, device, event_ms in rows if decided_until_ms < event_ms < at)
        self.offsets = sorted((at, device, event_ms - at) for at, device, event_ms in rows if at > decided_until_ms)

    @property
    def earliest_ms(self) -> int:
        return min(self.offsets[0][0], self.claims[0][0]) if self.claims else self.offsets[0][0]

    def take_due(self, watermark_ms: int) -> tuple[list[Heartbeat], list[Offset]]:
        claimed = bisect_left(self.claims, (watermark_ms + 1, ""))
        heard = bisect_left(self.offsets, (watermark_ms + 1, "", 0))
        due = self.claims[:claimed], self.offsets[:heard]
        self.claims, self.offsets = self.claims[claimed:], self.offsets[heard:]
        return due


class HeartbeatQueue:
    """The heartbeats that wait, and the watches that decide by them.

    Args:
        policy: when silence is an alert, and when a clock is wrong.
        log: where all is written that must survive.
        kept: what was written before.
        decided_until_ms: the shard's clock.
        versions: of the rules, as they were known then.
        owns: whether a device belongs to this shard.
    """

    def __init__(
        self,
        policy: InactivityPolicy,
        log: ShardLog,
        kept: RestoredHeartbeats,
        decided_until_ms: int,
        versions: Versions,
        owns: Callable[[str], bool],
    ) -> None:
        self._log = log
        self.watch = InactivityWatch(policy, kept.devices, decided_until_ms, versions, owns)
        self._clocks_key: int | None
        self._clocks_key, clocks = kept.clocks or (None, Clocks({}))
        self.clocks = ClockWatch(policy, clocks.states, self.watch.last_seen_ms, decided_until_ms)
        self._waiting: list[_Waiting] = []
        self._heard: list[_WaitingHeard] = []
        for key, heartbeats in kept.pending.items():
            self._wait(key, heartbeats)
        for key, heard in kept.heard.items():
            self._heard.append(_WaitingHeard(key, heard, decided_until_ms))

    @property
    def next_instant_ms(self) -> int | None:
        """When something is due without a heartbeat."""
        instants = [at for at in (self.watch.next_instant_ms, self.clocks.next_instant_ms) if at is not None]
        return min(instants, default=None)

    @property
    def waits_from_ms(self) -> int | None:
        """When the first heartbeat that is not decided was given."""
        waiting: list[_Waiting | _WaitingHeard] = [*self._waiting, *self._heard]
        return min((one.earliest_ms for one in waiting), default=None)

    @property
    def waits_until_ms(self) -> int | None:
        """When the last heartbeat that is not decided was given."""
        times_ms = [max(waiting.pending.seen_times_ms) for waiting in self._waiting]
        return max([*times_ms, *(heard.offsets[-1][0] for heard in self._heard)], default=None)

    def accept(self, heartbeats: Heartbeats) -> Sequence[InactivityOutput]:
        """Take heartbeats. What is decided already can end an alert, and change no instant."""
        if heartbeats.in_order.devices:
            self._wait(self._log.append(heartbeats.in_order), heartbeats.in_order)
        return self._hear(heartbeats.heard) if heartbeats.heard.devices else []

    def _wait(self, key: int, pending: Pending) -> None:
        self._waiting.append(_Waiting(min(pending.seen_times_ms), key, pending))

    def _hear(self, heard: Heard) -> list[InactivityOutput]:
        decided = self.watch.decided_until_ms
        outputs: list[InactivityOutput] = []
        past: list[Heartbeat] = []
        later = Heard([], [], [])
        for heard_at_ms, device, event_time_ms in _in_order(heard):
            if event_time_ms <= decided and event_time_ms < heard_at_ms:
                outputs += self.watch.claim(device, event_time_ms, heard_at_ms)
            if heard_at_ms <= decided:
                past.append((heard_at_ms, device))
                self.clocks.note(decided, device, event_time_ms - heard_at_ms)
            else:
                later.devices.append(device)
                later.heard_times_ms.append(heard_at_ms)
                later.event_times_ms.append(event_time_ms)
        if later.devices:
            self._heard.append(_WaitingHeard(self._log.append(later), later, decided))
        return outputs + self.watch.advance(past, decided) if past else outputs

    def correct(self, broker: Broker) -> None:
        """Hear now what waits for a time far ahead of the broker's clock: it came while that was not known."""
        decided, latest_ms = self.watch.decided_until_ms, broker.latest_ms
        ahead: list[tuple[str, int]] = []
        for waiting in [waiting for waiting in self._waiting if max(waiting.pending.seen_times_ms) > latest_ms]:
            rows = list(zip(waiting.pending.devices, waiting.pending.seen_times_ms, strict=True))
            ahead += [(device, at) for device, at in rows if at > latest_ms]
            kept = [(device, at) for device, at in rows if decided < at <= latest_ms]
            self._waiting.remove(waiting)
            self._log.remove(waiting.key)
            if kept:
                pending = Pending([device for device, _ in kept], [at for _, at in kept])
                self._wait(self._log.append(pending), pending)
        for heard in [heard for heard in self._heard if heard.offsets[-1][0] > latest_ms]:
            rows = [(device, at + offset_ms) for at, device, offset_ms in heard.offsets]
            ahead += rows  # a moment early for those that are not ahead, which came in the same frame
            self._heard.remove(heard)
            self._log.remove(heard.key)
        if ahead:
            devices, event_times_ms = map(list, zip(*ahead, strict=True))
            self._hear(Heard(devices, [broker.now_ms] * len(ahead), event_times_ms))

    def advance(self, watermark_ms: int, until_ms: int) -> list[InactivityOutput]:
        """Decide the heartbeats that the watermark has passed, and every instant up to `until_ms`."""
        due = self._take_due(watermark_ms)
        claims, offsets = self._take_heard(watermark_ms) if self._heard else ([], [])
        heartbeats = sorted([*due, *((at, device) for at, device, _ in offsets)]) if offsets else due
        outputs: list[InactivityOutput] = [*self.clocks.advance(due, offsets, until_ms)]
        outputs += self.watch.advance(heartbeats, until_ms, claims)
        if self.clocks.states:
            for output in list(outputs):
                if isinstance(output, Revision) and output.state is AlertState.EXPIRED:
                    outputs += self.clocks.forget(output.device_id, output.changed_at_ms)
        return outputs

    def _take_heard(self, watermark_ms: int) -> tuple[list[Heartbeat], list[Offset]]:
        claims: list[Heartbeat] = []
        offsets: list[Offset] = []
        for waiting in self._heard:
            if waiting.earliest_ms <= watermark_ms:
                claimed, heard = waiting.take_due(watermark_ms)
                claims += claimed
                offsets += heard
                if not waiting.offsets:
                    self._log.remove(waiting.key)
        self._heard = [waiting for waiting in self._heard if waiting.offsets]
        return sorted(claims), sorted(offsets)

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
        if self.clocks.changed:
            self.clocks.changed = False
            if self._clocks_key is not None:
                self._log.remove(self._clocks_key)
            self._clocks_key = self._log.append(Clocks(self.clocks.states)) if self.clocks.states else None


def _in_order(heard: Heard) -> Iterator[tuple[int, str, int]]:
    yield from sorted(zip(heard.heard_times_ms, heard.devices, heard.event_times_ms, strict=True))
