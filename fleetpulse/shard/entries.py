"""The entries of a shard's log: what one holds, in columns where it holds many devices."""

from bisect import bisect_left

import msgspec

from fleetpulse.anomaly.watch import Snapshot
from fleetpulse.frames.frame import Readings
from fleetpulse.inactivity.clocks import ClockState
from fleetpulse.inactivity.timeouts import Heartbeat, OpenSilence
from fleetpulse.records.reasons import Reason
from fleetpulse.shard.clock import TickClock
from fleetpulse.windows.tumbling import Coarse


class Count(msgspec.Struct, array_like=True):
    """What became of the records of one partition, and the offset after the last one read."""

    on_time: int = 0
    late: int = 0
    rejected: dict[Reason, int] = {}
    next_offset: int = 0

    @property
    def read(self) -> int:
        """All records read."""
        return self.on_time + self.late + sum(self.rejected.values())


class Header(msgspec.Struct, array_like=True, tag=1, frozen=True):
    """A shard's clock and counts. `shards` is how many there are in all; counts are by `topic:partition`."""

    version: int
    shards: int
    decided_until_ms: int
    ticks: TickClock
    counts: dict[str, Count]


class Changes(msgspec.Struct, array_like=True, tag=2, frozen=True):
    """Devices as they became, in columns; a forgotten one has last_seen 0. `alerts` is by index in `devices`."""

    devices: list[str]
    last_seen_ms: list[int]
    alerts: dict[int, OpenSilence]


class Pending(msgspec.Struct, array_like=True, tag=3, frozen=True):
    """Heartbeats that wait for the watermark, in columns."""

    devices: list[str]
    seen_times_ms: list[int]

    def heartbeats_after(self, epoch_ms: int) -> list[Heartbeat]:
        """The heartbeats later than `epoch_ms`, in order of time."""
        heartbeats = sorted(zip(self.seen_times_ms, self.devices, strict=True))
        return heartbeats[bisect_left(heartbeats, (epoch_ms + 1, "")) :]


class Arrived(msgspec.Struct, array_like=True, tag=4, frozen=True):
    """Readings that wait for the watermark, or that may have to be decided again."""

    readings: Readings


class RuleVersion(msgspec.Struct, array_like=True, tag=5, frozen=True):
    """A version of the rules, as on the rules topic."""

    record: bytes


class Heard(msgspec.Struct, array_like=True, tag=8, frozen=True):
    """Heartbeats that count when they were heard and not at the time they say, in columns; they wait as others do."""

    devices: list[str]
    heard_times_ms: list[int]
    event_times_ms: list[int]


class Clocks(msgspec.Struct, array_like=True, tag=9, frozen=True):
    """What is known of clocks that may be wrong, by device."""

    states: dict[str, ClockState]


class LastHeard(msgspec.Struct, array_like=True, tag=10, frozen=True):
    """When devices were last heard, whose records rules do not see (epoch ms)."""

    times_ms: dict[str, int]


ReadingEntry = Arrived | RuleVersion | Snapshot | Coarse | LastHeard
Entry = Header | Changes | Pending | Heard | Clocks | ReadingEntry
