"""One shard of the fleet: frames in; alerts, aggregates, late and rejected records out; and its state.

Heartbeats and readings wait until the watermark has passed them, then are decided in order of time. Nothing here
knows Flink: the adapter brings frames, ticks, rules and the watermark, and carries `take_writes` into keyed state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fleetpulse.alerts import Revision
from fleetpulse.frames.frame import Frame, Original, Readings, Rejected, only, originals_of, partition_name, unpack
from fleetpulse.frames.sharding import shard_of
from fleetpulse.inactivity.devices import SilentDevice
from fleetpulse.inactivity.timeouts import InactivityPolicy
from fleetpulse.rules.versions import Version, Versions, decode, encode, in_force, merged
from fleetpulse.shard.clock import END_OF_INPUT_MS, Broker, TickClock, TickPolicy
from fleetpulse.shard.entries import Count, RuleVersion
from fleetpulse.shard.heartbeats import HeartbeatQueue, heard_beside_readings, heartbeats_of
from fleetpulse.shard.log import NoLog, Writes, restore
from fleetpulse.shard.readings import ReadingPolicy, ReadingWatch
from fleetpulse.times import first_multiple_after
from fleetpulse.windows.tumbling import Aggregate

_STEP_MS = 100  # how far the watermark moves before what waits is looked at again


@dataclass(frozen=True, slots=True)
class ShardPolicy:
    """The settings of a shard. `topics` are the names behind the origins of records, in the job's order.

    Without `inactivity` nobody is missed; `versions` of the rules are those known when the job began.
    """

    topics: tuple[str, ...]
    shards: int = 16
    inactivity: InactivityPolicy | None = field(default_factory=InactivityPolicy)
    readings: ReadingPolicy = field(default_factory=ReadingPolicy)
    versions: Versions = ()
    ticks: TickPolicy = field(default_factory=TickPolicy)

    def partition_name(self, origin: int) -> str:
        """`topic:partition` of an origin."""
        return partition_name(self.topics, origin)

    @property
    def measured(self) -> bool:
        """Whether frames must carry what was measured."""
        return self.readings.evaluate_rules or self.readings.windows is not None


class Late(NamedTuple):
    """A record whose time was already decided, and how far the shard's clock was beyond it."""

    original: Original
    late_by_ms: int


Output = Revision | SilentDevice | Aggregate | Late | Rejected


class Shard:
    """A shard in memory, restored from its log. `number` is which of them it is.

    Without entries, not even none, it keeps no log: what is judged in one go, such as history, is never restored.
    """

    def __init__(self, policy: ShardPolicy, number: int, entries: Mapping[int, bytes] | None) -> None:
        header, heartbeats, self._log, kept = restore(entries or {}, policy.shards)
        if entries is None:
            self._log = NoLog(policy.shards)
        self._policy = policy
        self.counts: dict[str, Count] = header.counts if header else {}
        self._ticks = header.ticks if header else TickClock()
        self.decided_until_ms = header.decided_until_ms if header else 0
        versions = merged((), kept.versions.values())
        self._newest_ms = 0  # of the heartbeats that have come
        self.life: HeartbeatQueue | None = None
        if policy.inactivity is not None:
            self.life = HeartbeatQueue(
                policy.inactivity,
                self._log,
                heartbeats,
                self.decided_until_ms,
                versions,
                lambda device_id: shard_of(device_id, policy.shards) == number,
            )
            self._newest_ms = self.life.waits_until_ms or 0
        self.readings: ReadingWatch | None = None
        if policy.measured:
            self.readings = ReadingWatch(policy.readings, self._log, kept, versions, self.decided_until_ms)
        self._versions = versions
        self._owed: list[Output] = []
        self.excused_until_ms = 0  # the latest that `excuse` was called with since the restore
        self._jumped_at_ms: int | None = None  # the tick at which the watermark ran ahead of them
        self._learn(policy.versions)

    @property
    def held(self) -> bool:
        """Whether decisions wait because ticks were missing."""
        return self._ticks.held_until_ms is not None

    @property
    def devices_known(self) -> int:
        """How many devices are known."""
        if self.life is not None:
            return self.life.watch.known
        return self.readings.anomalies.known if self.readings and self.readings.anomalies else 0

    @property
    def devices_silent(self) -> int:
        """How many of them are silent."""
        return self.life.watch.silent if self.life else 0

    @property
    def anomalies_open(self) -> int:
        """How many alerts about readings are open."""
        return self.readings.anomalies.open_alerts if self.readings and self.readings.anomalies else 0

    @property
    def rule_version(self) -> int:
        """The version of the rules in force; 0 if there is none."""
        version = in_force(self._versions, self.decided_until_ms)
        return version.version if version else 0

    def accept(self, data: bytes, broker: Broker | None = None) -> list[Output]:
        """Take a frame: what is late or rejected leaves at once, what is on time waits for the watermark."""
        frame = unpack(data)
        self._count_read(frame)
        originals = originals_of(frame) if self._has_late(frame) else []
        return [*self._late(frame, originals), *frame.rejected, *self.take(frame, originals, broker)]

    def take(self, frame: Frame, originals: Sequence[Original] = (), broker: Broker | None = None) -> list[Output]:
        """Take the devices of a frame, and count nothing. Returns the outputs that are decided at once.

        Args:
            frame: what has come.
            originals: the records behind its readings, where any is late; see `heartbeats_of`.
            broker: the broker's clock, where it is known.
        """
        if self.readings is not None and frame.readings.devices:
            on_time = frame.readings
            if min(on_time.event_times_ms) <= self.decided_until_ms:
                on_time = self._on_time(on_time)
            if on_time.devices:
                self.readings.accept(on_time)
        heartbeats = heartbeats_of(frame, originals, self.decided_until_ms, broker)
        for times_ms in (heartbeats.in_order.seen_times_ms, heartbeats.heard.heard_times_ms):
            self._newest_ms = max(self._newest_ms, max(times_ms, default=0))
        if self.readings is not None and (frame.rejected or heartbeats.heard.devices):
            self.readings.hear(heard_beside_readings(frame, heartbeats.heard))
        if self.life is None:
            return []
        self.excuse(frame.excused_until_ms)
        return [*self.life.accept(heartbeats)]

    def excuse(self, until_ms: int) -> None:
        """Take nobody for silent up to an instant (epoch ms): records of that time are lost."""
        if until_ms > self.excused_until_ms and self.life is not None:
            self.excused_until_ms = until_ms
            self.life.watch.excuse(until_ms)

    def tick(self, tick_ms: int, broker: Broker | None = None) -> None:
        """Take a tick of the broker's clock; `broker` is that clock, where ticks can be trusted."""
        self._ticks = self._ticks.after(tick_ms, self._policy.ticks)
        if broker is not None and self.life is not None and self._newest_ms > broker.latest_ms:
            self.life.correct(broker)
            self._newest_ms = broker.latest_ms

    def learn(self, record: bytes) -> list[Output]:
        """Take a version of the rules, as it stands on the rules topic. One that comes too late takes effect at once.

        Raises:
            RuleError: it is not a version of the rules.
        """
        self._learn((decode(record),))
        return self._take_owed()

    def _take_owed(self) -> list[Output]:
        owed, self._owed = self._owed, []
        return owed

    def _learn(self, versions: Versions) -> None:
        known = {version.version for version in self._versions}
        present = in_force(self._versions, self.decided_until_ms)
        new = tuple(
            version
            for version in versions
            if version.version not in known
            and (present is None or (version.effective_from_ms, version.version) > _rank(present))
        )
        for version in new:
            self._log.append(RuleVersion(encode(version)))
        if not new:
            return
        self._versions = merged(self._versions, new)
        late = any(version.effective_from_ms <= self.decided_until_ms for version in new)
        if self.life is not None:
            self.life.watch.learn(new)
            self._owed += self.life.watch.advance([], self.decided_until_ms) if late else []
        if self.readings is not None:
            self.readings.learn(new, late)
            self._owed += self.readings.advance(self.decided_until_ms) if late else []

    def advance(self, watermark_ms: int) -> list[Output]:
        """Decide all that the watermark has passed, unless a gap in ticks holds decisions back.

        At the end of input everything that waits is decided, but no instant after the last watermark before it.
        """
        at_the_end = watermark_ms == END_OF_INPUT_MS
        if self.held and not at_the_end:
            return []
        until_ms = self.decided_until_ms if at_the_end else watermark_ms
        if until_ms < self.decided_until_ms or not (at_the_end or self._is_confirmed(until_ms)):
            return []
        outputs: list[Output] = self._take_owed()
        if self.life is not None:
            outputs += self.life.advance(watermark_ms, until_ms)
        if self.readings is not None:
            outputs += self.readings.finish() if at_the_end else self.readings.advance(until_ms)
        self.decided_until_ms = until_ms
        return outputs

    def _is_confirmed(self, watermark_ms: int) -> bool:
        """Whether the watermark can be taken as it is: in a drain it runs ahead to the ticks before the end comes."""
        tick_ms, policy = self._ticks.last_tick_ms, self._policy.ticks
        if tick_ms is None or watermark_ms - max(self.decided_until_ms, self._newest_ms) <= policy.jump_ms:
            self._jumped_at_ms = None
            return True
        if self._jumped_at_ms is None:
            self._jumped_at_ms = tick_ms
        return tick_ms - self._jumped_at_ms >= policy.confirm_ms

    def next_timer_ms(self, watermark_ms: int) -> int | None:
        """When to be called again at the latest, in event time; None where nothing waits."""
        if watermark_ms == END_OF_INPUT_MS:
            return None
        parts = [part for part in (self.life, self.readings) if part is not None]
        instants = [at for part in parts if (at := part.next_instant_ms) is not None]
        wakes = instants + [at for part in parts if (at := part.waits_from_ms) is not None]
        if not wakes:
            return None
        earliest = min(wakes)
        if earliest in instants and earliest > watermark_ms:
            return earliest
        return first_multiple_after(max(earliest, watermark_ms), _STEP_MS)

    def take_writes(self) -> Writes:
        """What has changed since the last call and must be in keyed state before the adapter returns."""
        if self.life is not None:
            self.life.write()
        if self.readings is not None:
            self.readings.write()
        return self._log.take_writes(self.decided_until_ms, self._ticks, self.counts)

    def let_go(self) -> None:
        """Drop what is decided, in place of `take_writes`, where no log is kept."""
        if self.life is not None:
            self.life.watch.take_changed()
        if self.readings is not None:
            self.readings.let_go()

    def _count_read(self, frame: Frame) -> None:
        for span in frame.spans:
            count = self.counts.setdefault(self._policy.partition_name(span.origin), Count())
            count.on_time += span.records
            count.next_offset = max(count.next_offset, span.next_offset)
        for rejected in frame.rejected:
            count = self.counts[self._policy.partition_name(rejected.original.origin)]
            count.on_time -= 1
            count.rejected[rejected.reason] = count.rejected.get(rejected.reason, 0) + 1

    def _has_late(self, frame: Frame) -> bool:
        times_ms = frame.seen_times_ms  # none is later than its event time
        return bool(times_ms) and min(times_ms) <= self.decided_until_ms

    def _late(self, frame: Frame, originals: Sequence[Original]) -> list[Late]:
        decided = self.decided_until_ms
        late = [
            Late(original, decided - event_time_ms)
            for original, event_time_ms in zip(originals, frame.readings.event_times_ms, strict=False)
            if event_time_ms <= decided
        ]
        for record in late:
            count = self.counts[self._policy.partition_name(record.original.origin)]
            count.on_time -= 1
            count.late += 1
        return late

    def _on_time(self, readings: Readings) -> Readings:
        decided = self.decided_until_ms
        return only(readings, [at for at, time_ms in enumerate(readings.event_times_ms) if time_ms > decided])


def _rank(version: Version) -> tuple[int, int]:
    return version.effective_from_ms, version.version
