"""The order in which records arrived, and the watermark that each of them met.

A record arrives at its Kafka timestamp, and not before the one in front of it in its partition. The watermark is made
as in the job's source: each partition has a time, the highest at which one of its records was seen; the watermark is
the least of those that had a record within the idle timeout, less the bound. Where none had, it is the time of arrival,
as the job's ticks have it. It never goes back.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fleetpulse.backtest.sources.history import Chunk, Stream
from fleetpulse.frames.columns import picker
from fleetpulse.frames.frame import Batch

Times = NDArray[np.int64]
_NEVER = np.int64(-(1 << 60))
_ALWAYS = np.int64(1 << 60)


class Part(NamedTuple):
    """Records of one stream in a row. In `batch` the origin is the stream's number, an offset the position here."""

    batch: Batch
    arrivals_ms: Times


class Arrivals(NamedTuple):
    """Records of several streams that arrived one after the other, and in which order."""

    parts: list[Part]
    order: NDArray[np.intp]

    def in_order(self, column: Sequence[Times]) -> Times:
        """What was found for the records of each part, in the order of arrival."""
        found: Times = np.concatenate(column)[self.order]
        return found

    def merged(self) -> Batch:
        """All records in the order of arrival."""
        batches = [part.batch for part in self.parts]
        pick = picker(self.order.tolist())
        return Batch(*(pick([*chain.from_iterable(columns)]) for columns in zip(*batches, strict=True)))


class ArrivalWatermark:
    """The watermark of a job that reads so many streams as they come."""

    def __init__(self, streams: int, out_of_orderness_ms: int, idle_timeout_ms: int) -> None:
        self._behind_ms = out_of_orderness_ms + 1  # a record exactly at the bound is on time
        self._idle_timeout_ms = idle_timeout_ms
        self._seen_ms = [_NEVER] * streams
        self._arrived_ms = [_NEVER] * streams
        self._watermark_ms = np.int64(0)
        self._begun = False

    def met_by_each(self, arrived: Arrivals, seen_ms: Times) -> Times:
        """The watermark when each record arrived, before it moves any. `seen_ms`: when each was seen, in that order."""
        origins = arrived.in_order([np.asarray(part.batch.origins) for part in arrived.parts])
        arrivals_ms = arrived.in_order([part.arrivals_ms for part in arrived.parts])
        least_ms = np.full(len(seen_ms), _ALWAYS)
        for stream in range(len(self._seen_ms)):
            own = origins == stream
            latest_ms, self._seen_ms[stream] = _before_each(self._seen_ms[stream], seen_ms, own)
            came_ms, self._arrived_ms[stream] = _before_each(self._arrived_ms[stream], arrivals_ms, own)
            active = arrivals_ms - came_ms <= self._idle_timeout_ms
            least_ms = np.where(active, np.minimum(least_ms, latest_ms), least_ms)
        watermarks_ms = np.minimum(least_ms, arrivals_ms) - self._behind_ms
        if not self._begun:
            watermarks_ms[0], self._begun = 0, True  # before the first record of all there was no time
        met_ms: Times = np.maximum.accumulate(np.maximum(watermarks_ms, self._watermark_ms))
        self._watermark_ms = met_ms[-1]
        return met_ms

    @property
    def of_records_ms(self) -> int:
        """The watermark if all were read now: that of the latest record, whatever time went by after it."""
        return int(max(self._seen_ms, default=_NEVER)) - self._behind_ms


def by_arrival(streams: Sequence[Stream]) -> Iterator[Arrivals]:
    """The records of all streams as they arrived, some at once."""
    waiting = [_Waiting(number, stream.chunks) for number, stream in enumerate(streams)]
    while waiting := [one for one in waiting if one.fill()]:
        until_ms = min(one.arrivals_ms[-1] for one in waiting)
        parts = [part for one in waiting if len((part := one.take(until_ms)).arrivals_ms)]
        yield Arrivals(parts, np.argsort(np.concatenate([part.arrivals_ms for part in parts]), kind="stable"))


class _Waiting:
    """What was read of a stream and is not taken yet."""

    def __init__(self, number: int, chunks: Iterator[Chunk]) -> None:
        self._number, self._chunks = number, chunks
        self._chunk = Chunk((), (), ())
        self._latest_ms = _NEVER
        self.arrivals_ms: Times = np.empty(0, np.int64)

    def fill(self) -> bool:
        """Read more where nothing is left; returns whether something is there."""
        while not len(self.arrivals_ms):
            chunk = next(self._chunks, None)
            if chunk is None:
                return False
            self._chunk = chunk
            arrivals_ms = np.concatenate([[self._latest_ms], np.asarray(chunk.kafka_times_ms, np.int64)])
            self.arrivals_ms = np.maximum.accumulate(arrivals_ms)[1:]
        return True

    def take(self, until_ms: int) -> Part:
        """What arrived up to an instant."""
        count = int(np.searchsorted(self.arrivals_ms, until_ms, side="right"))
        taken = self._chunk.part(0, count)
        arrivals_ms, self.arrivals_ms = self.arrivals_ms[:count], self.arrivals_ms[count:]
        self._chunk = self._chunk.part(count, len(self._chunk.values))
        if count:
            self._latest_ms = arrivals_ms[-1]
        return Part(taken.batch(self._number)._replace(offsets=range(count)), arrivals_ms)


def _before_each(first_ms: np.int64, times_ms: Times, own: NDArray[np.bool_]) -> tuple[Times, np.int64]:
    """The highest time of a stream's own records before each record, and after the last."""
    highest_ms = np.maximum.accumulate(np.concatenate([[first_ms], np.where(own, times_ms, _NEVER)]))
    return highest_ms[:-1], highest_ms[-1]
