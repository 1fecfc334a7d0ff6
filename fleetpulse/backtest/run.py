"""Runs shards over history: the frames, the watermark and the decisions of a job, in one process and one pass.

Streams are read so that the one that is furthest behind goes on first. As in the job's source each has a time, the
highest of its readings that no Kafka timestamp contradicts, and the watermark is the least of them less the bound.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

from fleetpulse.alerts import Revision
from fleetpulse.backtest.sources.history import CHUNK, Stream
from fleetpulse.inactivity.timeouts import InactivityPolicy
from fleetpulse.records.frames import Frame, frame_of
from fleetpulse.rules.versions import Versions
from fleetpulse.shard.clock import END_OF_INPUT_MS
from fleetpulse.shard.readings import ReadingPolicy
from fleetpulse.shard.shard import Output, Shard, ShardPolicy


@dataclass(frozen=True, slots=True)
class Settings:
    """What the job was told that matters for its decisions. Without `inactivity` nobody is missed."""

    inactivity: InactivityPolicy | None = field(default_factory=InactivityPolicy)
    out_of_orderness_ms: int = 2_000
    max_future_skew_ms: int = 60_000

    def shard(self, versions: Versions) -> Shard:
        """One that has the whole fleet: what is decided does not depend on how many there are."""
        return Shard(ShardPolicy((), 1, self.inactivity, ReadingPolicy(evaluate_rules=True), versions), 0, None)


@dataclass(slots=True)
class Read:
    """What was read of history; `late` counts readings whose time was decided already, `late_devices` tells whose."""

    records: int = 0
    rejected: int = 0
    late: int = 0
    late_devices: set[str] = field(default_factory=set)
    decided_until_ms: int = 0

    def note(self, frame: Frame, records: int) -> None:
        """Note a frame that is about to be taken."""
        self.records += records
        self.rejected += len(frame.rejected)
        times_ms = frame.readings.event_times_ms
        if times_ms and min(times_ms) <= self.decided_until_ms:
            late = [at for at, time_ms in enumerate(times_ms) if time_ms <= self.decided_until_ms]
            self.late += len(late)
            self.late_devices.update(frame.readings.devices[at] for at in late)


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """What shards made of the same history: revisions a shard, in `in_order`."""

    read: Read
    revisions: list[list[Revision]]


def run_history(
    streams: Sequence[Stream], settings: Settings, books: Sequence[Versions], until_ms: int | None = None
) -> BacktestResult:
    """Judge history by one book of rules, or by several side by side.

    Args:
        streams: the history.
        settings: of the job.
        books: versions of rules; each judges for itself.
        until_ms: decide all up to this instant and nothing after it. Without it all that is there is decided, and no
            instant after the last watermark, as a bounded job does it.
    """
    run = _Run(settings, [settings.shard(versions) for versions in books], until_ms)
    run.read_all(streams)
    run.decide(END_OF_INPUT_MS if until_ms is None else until_ms)
    return BacktestResult(run.read, [in_order(revisions) for revisions in run.revisions])


def in_order(revisions: Sequence[Revision]) -> list[Revision]:
    """Revisions by the instant they are of, then by device and rule."""
    return sorted(revisions, key=lambda r: (r.changed_at_ms, r.device_id, r.rule_id, r.opened_at_ms, r.revision))


class _Run:
    def __init__(self, settings: Settings, shards: list[Shard], until_ms: int | None) -> None:
        self._settings, self._shards = settings, shards
        self._until_ms = END_OF_INPUT_MS - 1 if until_ms is None else until_ms
        self.read = Read()
        self.revisions: list[list[Revision]] = [[] for _ in shards]

    def read_all(self, streams: Sequence[Stream]) -> None:
        behind_ms = self._settings.out_of_orderness_ms + 1
        waiting = time_ms = 0
        times_ms = [(0, index) for index in range(len(streams))]
        while times_ms:
            time_ms, index = times_ms[0]
            if time_ms - behind_ms >= self._until_ms:
                break
            if waiting >= CHUNK:
                self.decide(time_ms - behind_ms)
                waiting = 0
            chunk = next(streams[index].chunks, None)
            if chunk is None:
                heapq.heappop(times_ms)
                continue
            frame = frame_of(chunk.batch(0), self._settings.max_future_skew_ms)
            self._take(frame, len(chunk.values))
            waiting += len(chunk.values)
            heapq.heapreplace(times_ms, (max([time_ms, *frame.seen_times_ms]), index))
        self.decide(time_ms - behind_ms)

    def _take(self, frame: Frame, records: int) -> None:
        self.read.note(frame, records)
        for shard, revisions in zip(self._shards, self.revisions, strict=True):
            _keep(shard.take(frame), revisions)

    def decide(self, watermark_ms: int) -> None:
        """Let every shard decide what the watermark has passed."""
        if watermark_ms != END_OF_INPUT_MS:
            watermark_ms = min(watermark_ms, self._until_ms)
        for shard, revisions in zip(self._shards, self.revisions, strict=True):
            if watermark_ms > 0:
                _keep(shard.advance(watermark_ms), revisions)
                shard.let_go()
            self.read.decided_until_ms = shard.decided_until_ms


def _keep(outputs: Sequence[Output], revisions: list[Revision]) -> None:
    revisions += [output for output in outputs if isinstance(output, Revision)]
