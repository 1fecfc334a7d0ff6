"""One shard of the fleet: frames in, alerts, late and rejected records out, and what to keep of it all.

Signs of life wait until the watermark has passed them, then are decided in order of time. Nothing here knows Flink:
the adapter brings frames, ticks and the watermark, and carries `take_writes` into keyed state.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fleetpulse.clock import END_OF_INPUT_MS, TickClock, TickPolicy
from fleetpulse.frames import Frame, Original, Rejected, originals_of, unpack
from fleetpulse.inactivity import InactivityPolicy, InactivityWatch, LifeSign, Verdict
from fleetpulse.shardlog import Count, Pending, Writes, restore
from fleetpulse.times import first_multiple_after

_STEP_MS = 100  # how far the watermark moves before waiting signs of life are looked at again


@dataclass(frozen=True, slots=True)
class ShardPolicy:
    """What a shard decides by. `topics` are the names behind the origins of records, in the job's order."""

    topics: tuple[str, ...]
    shards: int = 16
    inactivity: InactivityPolicy = field(default_factory=InactivityPolicy)
    ticks: TickPolicy = field(default_factory=TickPolicy)

    def partition_name(self, origin: int) -> str:
        """`topic:partition` of an origin."""
        return f"{self.topics[origin >> 16]}:{origin & 0xFFFF}"


class Late(NamedTuple):
    """A record whose time was already decided, and how far the shard's clock was beyond it."""

    original: Original
    late_by_ms: int


Output = Verdict | Late | Rejected


@dataclass(slots=True)
class _Waiting:
    """Signs of life in the log under `key`, of which some are not decided yet. Sorted once, when the first is due."""

    earliest_ms: int
    key: int
    pending: Pending
    signs: list[LifeSign] | None = None


class Shard:
    """A shard in memory, restored from its log."""

    def __init__(self, policy: ShardPolicy, entries: Mapping[int, bytes]) -> None:
        header, devices, pending, self._log = restore(entries, policy.shards)
        self._policy = policy
        self.counts: dict[str, Count] = header.counts if header else {}
        self._ticks = header.ticks if header else TickClock()
        decided_until_ms = header.decided_until_ms if header else 0
        self.watch = InactivityWatch(policy.inactivity, devices, decided_until_ms)
        self._waiting: list[_Waiting] = []
        for key, signs in pending.items():
            self._wait(key, signs)

    @property
    def decided_until_ms(self) -> int:
        """The event time up to which everything is decided; never goes back."""
        return self.watch.decided_until_ms

    @property
    def held(self) -> bool:
        """Whether decisions wait because ticks were missing."""
        return self._ticks.held_until_ms is not None

    def accept(self, data: bytes) -> list[Output]:
        """Take a frame: what is late or rejected leaves at once, what is on time waits for the watermark."""
        frame = unpack(data)
        self._count_read(frame)
        late = self._late(frame)
        outputs: list[Output] = [*late, *frame.rejected]
        signs = Pending(frame.readings.devices, frame.life_times_ms)
        for rejected in frame.rejected:
            if rejected.device_id is not None and rejected.life_time_ms is not None:
                signs.devices.append(rejected.device_id)
                signs.life_times_ms.append(rejected.life_time_ms)
        return [*outputs, *self._take_signs(signs)]

    def _take_signs(self, pending: Pending) -> Sequence[Verdict]:
        if not pending.devices:
            return []
        decided = self.decided_until_ms
        if min(pending.life_times_ms) > decided:
            self._wait(self._log.append_pending(pending), pending)
            return []
        signs = pending.signs_after(-1)
        past = signs[: bisect_left(signs, (decided + 1, ""))]
        if future := signs[len(past) :]:
            rest = Pending([device for _, device in future], [at for at, _ in future])
            self._wait(self._log.append_pending(rest), rest)
        return self.watch.advance(past, decided)

    def _wait(self, key: int, pending: Pending) -> None:
        self._waiting.append(_Waiting(min(pending.life_times_ms), key, pending))

    def tick(self, tick_ms: int) -> None:
        """Take a tick of the broker's clock."""
        self._ticks = self._ticks.after(tick_ms, self._policy.ticks)

    def advance(self, watermark_ms: int) -> list[Verdict]:
        """Decide all that the watermark has passed, unless a gap in ticks holds decisions back.

        At the end of input everything that waits is decided, but no instant after the last watermark before it.
        """
        if self.held and watermark_ms != END_OF_INPUT_MS:
            return []
        until_ms = self.decided_until_ms if watermark_ms == END_OF_INPUT_MS else watermark_ms
        if until_ms < self.decided_until_ms:
            return []
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
        signs = waiting.pending.signs_after(self.decided_until_ms) if waiting.signs is None else waiting.signs
        until = bisect_left(signs, (watermark_ms + 1, ""))
        waiting.signs = signs[until:]
        if waiting.signs:
            waiting.earliest_ms = waiting.signs[0][0]
        else:
            self._log.remove(waiting.key)
        return signs[:until]

    def next_timer_ms(self, watermark_ms: int) -> int | None:
        """When to be called again at the latest, in event time; None where nothing waits."""
        wakes = [waiting.earliest_ms for waiting in self._waiting]
        if self.watch.next_instant_ms is not None:
            wakes.append(self.watch.next_instant_ms)
        if not wakes or watermark_ms == END_OF_INPUT_MS:
            return None
        earliest = min(wakes)
        if earliest == self.watch.next_instant_ms and earliest > watermark_ms:
            return earliest
        return first_multiple_after(max(earliest, watermark_ms), _STEP_MS)

    def take_writes(self) -> Writes:
        """What has changed since the last call and must be in keyed state before the adapter returns."""
        changed = self.watch.take_changed()
        if changed.ids:
            self._log.append_changes(changed)
            if self._log.needs_rewrite():
                self._log.rewrite(self.watch.devices())
        return self._log.take_writes(self.decided_until_ms, self._ticks, self.counts)

    def _count_read(self, frame: Frame) -> None:
        for span in frame.spans:
            count = self.counts.setdefault(self._policy.partition_name(span.origin), Count())
            count.on_time += span.records
            count.next_offset = max(count.next_offset, span.next_offset)
        for rejected in frame.rejected:
            count = self.counts[self._policy.partition_name(rejected.original.origin)]
            count.on_time -= 1
            count.rejected[rejected.reason] = count.rejected.get(rejected.reason, 0) + 1

    def _late(self, frame: Frame) -> list[Late]:
        decided = self.decided_until_ms
        event_times_ms = frame.readings.event_times_ms
        if not event_times_ms or min(event_times_ms) > decided:
            return []
        late = [
            Late(original, decided - event_time_ms)
            for original, event_time_ms in zip(originals_of(frame), event_times_ms, strict=True)
            if event_time_ms <= decided
        ]
        for record in late:
            count = self.counts[self._policy.partition_name(record.original.origin)]
            count.on_time -= 1
            count.late += 1
        return late
