"""Frames: the few, large things that cross between Flink and Python instead of single records.

A frame carries what one batch of records holds for one shard: its readings, its rejected records, and how many records
of which partition those were. The bytes of its records travel along compressed and are opened only if one is late.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from lz4.block import compress, decompress

from fleetpulse.records.batch import Column, DecodedBatch, decode_batch
from fleetpulse.records.columns import picker
from fleetpulse.records.dialects import Location
from fleetpulse.records.reading import Rejection, seen_times
from fleetpulse.records.reasons import Reason
from fleetpulse.records.sharding import shard_of

VERSION = 2


class Original(NamedTuple):
    """A record as it was read. `origin` is its topic's index in the job's list times 65536, plus its partition."""

    origin: int
    offset: int
    kafka_time_ms: int
    key: bytes | None
    value: bytes | None


class Batch(NamedTuple):
    """Records as they were read, in the columns of `Original`."""

    origins: Sequence[int]
    offsets: Sequence[int]
    kafka_times_ms: Sequence[int]
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]

    def original(self, index: int) -> Original:
        """The record at `index`."""
        return Original(
            self.origins[index], self.offsets[index], self.kafka_times_ms[index], self.keys[index], self.values[index]
        )


class Rejected(NamedTuple):
    """A rejected record; device and seen time (epoch ms) are set where it still counts as a heartbeat."""

    reason: Reason
    original: Original
    device_id: str | None
    seen_at_ms: int | None


class Span(NamedTuple):
    """How many records of one partition a frame accounts for, and the offset after the last of them."""

    origin: int
    records: int
    next_offset: int


class Readings(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Readings in columns that run in parallel; what nobody measured has no column.

    `columns` is by metric, for those with a unit of their own; `others` is what else was measured, by index.
    `location_indices` refers to `locations`; it is empty where no reading tells one.
    """

    devices: list[str]
    event_times_ms: list[int]
    columns: dict[str, Column]
    others: dict[int, dict[str, float]]
    locations: list[Location]
    location_indices: list[int]


class Frame(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What crosses. `seen_times_ms` has one entry a reading; `originals` is their compressed `Batch`."""

    version: int
    spans: list[Span]
    readings: Readings
    seen_times_ms: list[int]
    rejected: list[Rejected]
    originals: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode_frame = msgspec.msgpack.Decoder(Frame).decode
_decode_batch = msgspec.msgpack.Decoder(Batch).decode


def pack(batch: Batch, decoded: DecodedBatch, shards: int) -> dict[int, bytes]:
    """Pack a batch by shard, with what was decoded of it: shard to frame, no shard without a record.

    A rejected record without a device travels with the shard of its partition.
    """
    indices: dict[int, list[int]] = defaultdict(list)
    for index, device in enumerate(decoded.devices):
        if device:
            indices[shard_of(device, shards)].append(index)
    rejected: dict[int, list[Rejected]] = defaultdict(list)
    for index, rejection in decoded.rejections.items():
        shard, record = _reject(batch.original(index), rejection, shards)
        rejected[shard].append(record)
    return {
        shard: _encode(_frame(decoded, batch, indices.get(shard, []), rejected.get(shard, [])))
        for shard in indices.keys() | rejected.keys()
    }


def frame_of(batch: Batch, max_future_skew_ms: int, measured: bool = True) -> Frame:
    """A whole batch as one frame that does not cross: without spans, and without the originals of its readings."""
    decoded = decode_batch(batch.values, batch.kafka_times_ms, max_future_skew_ms, measured)
    kafka_times_ms = batch.kafka_times_ms
    rejected = [_reject(batch.original(index), rejection, 1)[1] for index, rejection in decoded.rejections.items()]
    if rejected:
        indices = [index for index, device in enumerate(decoded.devices) if device]
        pick = picker(indices)
        readings, kafka_times_ms = _readings(decoded, pick, indices), pick(kafka_times_ms)
    else:
        readings = _readings(decoded, list, range(len(decoded.devices)))
    return Frame(VERSION, [], readings, seen_times(readings.event_times_ms, kafka_times_ms), rejected, b"")


def _reject(original: Original, rejection: Rejection, shards: int) -> tuple[int, Rejected]:
    device_id = rejection.device_id
    shard = original.origin % shards if device_id is None else shard_of(device_id, shards)
    return shard, Rejected(rejection.reason, original, device_id, rejection.seen_at_ms)


def _frame(decoded: DecodedBatch, batch: Batch, indices: list[int], rejected: list[Rejected]) -> Frame:
    pick = picker(indices)
    accepted = Batch(*map(pick, batch))
    readings = _readings(decoded, pick, indices)
    return Frame(
        VERSION,
        _spans(accepted, rejected),
        readings,
        seen_times(readings.event_times_ms, accepted.kafka_times_ms),
        rejected,
        compress(_encode(accepted)) if indices else b"",
    )


def _readings(decoded: DecodedBatch, pick: Callable[[Sequence[Any]], Any], indices: Sequence[int]) -> Readings:
    columns = {metric: list(pick(column)) for metric, column in decoded.columns.items()}
    others = {}
    if decoded.others:
        others = {at: decoded.others[index] for at, index in enumerate(indices) if index in decoded.others}
    numbers: dict[Location, int] = {}
    told = pick(decoded.locations) if decoded.locations else []
    location_indices = [numbers.setdefault(location, len(numbers)) for location in told]
    return Readings(
        list(pick(decoded.devices)),
        list(pick(decoded.event_times_ms)),
        {metric: column for metric, column in columns.items() if column.count(None) < len(column)},
        others,
        list(numbers),
        location_indices,
    )


def _spans(accepted: Batch, rejected: list[Rejected]) -> list[Span]:
    """What was read of each partition; records come in the order of their offsets, as they were read."""
    records = Counter(accepted.origins)
    last_offsets = dict(zip(accepted.origins, accepted.offsets, strict=True))
    for record in rejected:
        origin, offset = record.original.origin, record.original.offset
        records[origin] += 1
        last_offsets[origin] = max(offset, last_offsets.get(origin, offset))
    return [Span(origin, count, last_offsets[origin] + 1) for origin, count in records.items()]


def only(readings: Readings, indices: list[int]) -> Readings:
    """The readings at `indices`, in that order."""
    pick = picker(indices)
    return Readings(
        list(pick(readings.devices)),
        list(pick(readings.event_times_ms)),
        {metric: list(pick(column)) for metric, column in readings.columns.items()},
        {at: readings.others[index] for at, index in enumerate(indices) if index in readings.others},
        readings.locations,
        list(pick(readings.location_indices)) if readings.location_indices else [],
    )


def unpack(data: bytes) -> Frame:
    """Read a frame.

    Raises:
        ValueError: the frame is of another version.
    """
    frame = _decode_frame(data)
    if frame.version != VERSION:
        raise ValueError(f"frame version {frame.version}, expected {VERSION}")
    return frame


def originals_of(frame: Frame) -> list[Original]:
    """The records behind the readings of `frame`, in their order."""
    return [Original(*row) for row in zip(*_decode_batch(decompress(frame.originals)), strict=True)]
