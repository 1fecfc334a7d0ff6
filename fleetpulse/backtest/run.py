"""Runs shards over history: the frames, the watermark and the decisions of a job, in one process and one pass.

Records are judged in the order of their arrival (`fleetpulse.backtest.arrival`): one that is late meets shards that
have decided its time, as in the job. What is on time is decided in large steps, which changes nothing.
"""

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fleetpulse.alerts import Revision
from fleetpulse.backtest.arrival import ArrivalWatermark, Part, Times, by_arrival
from fleetpulse.backtest.sources.history import CHUNK, Stream
from fleetpulse.durations import DAY_MS
from fleetpulse.frames.frame import Batch, Frame, Original, frame_of
from fleetpulse.frames.order import PartitionOrder
from fleetpulse.inactivity.timeouts import InactivityPolicy
from fleetpulse.records.reasons import Reason
from fleetpulse.rules.versions import Versions
from fleetpulse.shard.clock import END_OF_INPUT_MS
from fleetpulse.shard.readings import ReadingPolicy
from fleetpulse.shard.shard import Output, Shard, ShardPolicy
from fleetpulse.times import DEFAULT_FUTURE_SKEW_MS


@dataclass(frozen=True, slots=True)
class Settings:
    """What the job was told that matters for its decisions. Without `inactivity` nobody is missed."""

    inactivity: InactivityPolicy | None = field(default_factory=InactivityPolicy)
    out_of_orderness_ms: int = 2_000
    max_future_skew_ms: int = DEFAULT_FUTURE_SKEW_MS
    idle_timeout_ms: int = 30_000
    forget_after_ms: int = 7 * DAY_MS

    def shard(self, versions: Versions) -> Shard:
        """One that has the whole fleet: what is decided does not depend on how many there are."""
        readings = ReadingPolicy(evaluate_rules=True, forget_after_ms=self.forget_after_ms)
        return Shard(ShardPolicy((), 1, self.inactivity, readings, versions), 0, None)


@dataclass(slots=True)
class Read:
    """What was read of history; `late` counts readings whose time was decided already, of `late_devices`."""

    records: int = 0
    rejected: int = 0
    late: int = 0
    late_devices: set[str] = field(default_factory=set)
    decided_until_ms: int = 0
    reasons: Counter[Reason] = field(default_factory=Counter)

    @property
    def accepted(self) -> int:
        """How many records were not rejected."""
        return self.records - self.rejected

    def note(self, frame: Frame, records: int) -> None:
        """Note a frame that is about to be taken."""
        self.records += records
        self.rejected += len(frame.rejected)
        self.reasons.update(record.reason for record in frame.rejected)
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
        self._waiting = 0
        self.read = Read()
        self.revisions: list[list[Revision]] = [[] for _ in shards]

    def read_all(self, streams: Sequence[Stream]) -> None:
        settings = self._settings
        watermark = ArrivalWatermark(len(streams), settings.out_of_orderness_ms, settings.idle_timeout_ms)
        order = PartitionOrder(settings.out_of_orderness_ms)
        for arrived in by_arrival(streams):
            before = deepcopy(order)
            frames = [self._frame(part.batch, order) for part in arrived.parts]
            seen_ms = arrived.in_order([*map(self._seen_times_ms, frames, arrived.parts)])
            met_ms = watermark.met_by_each(arrived, seen_ms)
            read = int(np.searchsorted(met_ms, self._until_ms))  # nothing is read beyond the end
            late = np.flatnonzero(seen_ms[:read] <= met_ms[:read])
            if len(late) or read < len(met_ms):
                self._take_in_order(arrived.merged(), before, late, met_ms[:read])
            else:
                for frame, part in zip(frames, arrived.parts, strict=True):
                    self._take(frame, part.batch)
            if read < len(met_ms):
                return
            if self._waiting >= CHUNK:
                self.decide(min(int(met_ms[-1]), watermark.of_records_ms))
        self.decide(watermark.of_records_ms)

    def _frame(self, batch: Batch, order: PartitionOrder) -> Frame:
        return frame_of(batch, self._settings.max_future_skew_ms, order)

    def _seen_times_ms(self, frame: Frame, part: Part) -> Times:
        """When each record was seen. One that is rejected moves time no further than an idle partition would."""
        seen_ms = np.asarray(part.batch.kafka_times_ms, np.int64) - self._settings.idle_timeout_ms
        accepted = np.ones(len(seen_ms), bool)
        accepted[[record.original.offset for record in frame.rejected]] = False
        seen_ms[accepted] = frame.seen_times_ms
        return seen_ms

    def _take_in_order(self, batch: Batch, order: PartitionOrder, late: NDArray[np.intp], met_ms: Times) -> None:
        """Take records up to each that is late, decide what its watermark has passed, and go on with it.

        Those that are late one after the other, and met the same watermark, are taken together.
        """
        another = (np.diff(late, prepend=-2) > 1) | (np.diff(met_ms[late], prepend=-1) != 0)
        starts = late[another].tolist()
        for start, end in pairwise([0, *starts, len(met_ms)]):
            if start in starts:
                self.decide(int(met_ms[start]))
            if start < end:
                origins, offsets, kafka_times_ms, keys, values = batch
                part = Batch(
                    origins[start:end],
                    offsets[start:end],
                    kafka_times_ms[start:end],
                    keys[start:end],
                    values[start:end],
                )
                self._take(self._frame(part, order), part)

    def _take(self, frame: Frame, batch: Batch) -> None:
        self._waiting += len(batch.values)
        self.read.note(frame, len(batch.values))
        originals: list[Original] = []
        if min(frame.seen_times_ms, default=self._until_ms) <= self.read.decided_until_ms:
            rejected = {(record.original.origin, record.original.offset) for record in frame.rejected}
            places = enumerate(zip(batch.origins, batch.offsets, strict=True))
            originals = [batch.original(at) for at, place in places if place not in rejected]
        for shard, revisions in zip(self._shards, self.revisions, strict=True):
            _keep(shard.take(frame, originals), revisions)

    def decide(self, watermark_ms: int) -> None:
        """Let every shard decide what the watermark has passed."""
        self._waiting = 0
        if watermark_ms != END_OF_INPUT_MS:
            watermark_ms = min(watermark_ms, self._until_ms)
        for shard, revisions in zip(self._shards, self.revisions, strict=True):
            if watermark_ms > 0:
                _keep(shard.advance(watermark_ms), revisions)
                shard.let_go()
            self.read.decided_until_ms = shard.decided_until_ms


def _keep(outputs: Sequence[Output], revisions: list[Revision]) -> None:
    revisions += [output for output in outputs if isinstance(output, Revision)]
