"""Frames: the few, large things that cross between Flink and Python instead of single records.

A frame carries what one batch of records holds for one shard: its readings, its rejected records, and how many records
of which partition those were. The bytes of its records travel along compressed and are opened only if one is late.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from lz4.block import compress, decompress

from fleetpulse.frames.columns import picker
from fleetpulse.frames.order import PartitionOrder
from fleetpulse.frames.sharding import shard_of
from fleetpulse.records.batch import Column, DecodedBatch, decode_batch
from fleetpulse.records.dialects import Location
from fleetpulse.records.reading import Rejection, seen_times
from fleetpulse.records.reasons import Reason

VERSION = 4


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
    """A rejected record; device and seen time (epoch ms) are set where it still counts as a heartbeat.

    `heard_at_ms` is set where it is belated, see `Arrivals`; `ahead_ms` is that of its `Rejection`.
    """

    reason: Reason
    original: Original
    device_id: str | None
    seen_at_ms: int | None
    heard_at_ms: int | None = None
    ahead_ms: int = 0


class Arrivals(NamedTuple):
    """When the records of a batch were seen, and of those that are belated by index when they were heard (epoch ms).

    Heard is min(Kafka timestamp, partition time), see docs/decisions/0020-who-says-a-device-lives.md.
    """

    seen_times_ms: list[int]
    heard_times_ms: dict[int, int]


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
    """What crosses. `seen_times_ms` has one entry a reading; `originals` is their compressed `Batch`.

    `heard_times_ms` is by index in the readings, of those that are belated. Up to `excused_until_ms` nobody counts as
    silent, since records of that time are lost.
    """

    version: int
    spans: list[Span]
    readings: Readings
    seen_times_ms: list[int]
    heard_times_ms: dict[int, int]
    rejected: list[Rejected]
    originals: bytes
    excused_until_ms: int = 0


_encode = msgspec.msgpack.Encoder().encode
_decode_frame = msgspec.msgpack.Decoder(Frame).decode
_decode_batch = msgspec.msgpack.Decoder(Batch).decode


def arrivals_of(batch: Batch, decoded: DecodedBatch, order: PartitionOrder, latest_ms: int | None = None) -> Arrivals:
    """When the records of the next batch were seen or heard. One after `latest_ms` moves no partition time."""
    kafka_times_ms, rejections = batch.kafka_times_ms, decoded.rejections
    event_times_ms = decoded.event_times_ms
    if rejections:
        event_times_ms = list(event_times_ms)
        for index in rejections:
            event_times_ms[index] = kafka_times_ms[index]
    seen_ms = seen_times(event_times_ms, kafka_times_ms)
    for index, rejection in rejections.items():
        seen_ms[index] = rejection.seen_at_ms or 0
    belated = order.belated(batch.origins, seen_ms, list(rejections), latest_ms)
    return Arrivals(seen_ms, {index: min(kafka_times_ms[index], at_ms) for index, at_ms in belated.items()})


def pack(
    batch: Batch, decoded: DecodedBatch, arrivals: Arrivals, shards: int, excused_until_ms: int = 0
) -> dict[int, bytes]:
    """Pack a batch by shard, with what was decoded of it: shard to frame, no shard without a record.

    A rejected record without a device travels with the shard of its partition. Each frame says `excused_until_ms`.
    """
    indices: dict[int, list[int]] = defaultdict(list)
    for index, device in enumerate(decoded.devices):
        if device:
            indices[shard_of(device, shards)].append(index)
    belated: dict[int, list[int]] = defaultdict(list)
    for index in arrivals.heard_times_ms:
        if device := decoded.devices[index]:
            belated[shard_of(device, shards)].append(index)
    rejected: dict[int, list[Rejected]] = defaultdict(list)
    for index, rejection in decoded.rejections.items():
        shard, record = _reject(batch.original(index), rejection, shards, arrivals.heard_times_ms.get(index))
        rejected[shard].append(record)
    return {
        shard: _encode(
            _frame(
                decoded,
                batch,
                arrivals,
                indices.get(shard, []),
                rejected.get(shard, []),
                belated[shard],
                excused_until_ms,
            )
        )
        for shard in indices.keys() | rejected.keys()
    }


def frame_of(batch: Batch, max_future_skew_ms: int, order: PartitionOrder, measured: bool = True) -> Frame:
    """A whole batch as one frame that does not cross: without spans, and without the originals of its readings."""
    decoded = decode_batch(batch.values, batch.kafka_times_ms, max_future_skew_ms, measured)
    seen_ms, heard_ms = arrivals_of(batch, decoded, order)
    rejected = [
        _reject(batch.original(index), rejection, 1, heard_ms.get(index))[1]
        for index, rejection in decoded.rejections.items()
    ]
    if rejected:
        indices = [index for index, device in enumerate(decoded.devices) if device]
        pick = picker(indices)
        heard_ms = {bisect_left(indices, at): time for at, time in heard_ms.items() if at not in decoded.rejections}
        readings, seen_ms = _readings(decoded, pick, indices), list(pick(seen_ms))
    else:
        readings = _readings(decoded, list, range(len(decoded.devices)))
    return Frame(VERSION, [], readings, seen_ms, heard_ms, rejected, b"")


def excuse(until_ms: int) -> bytes:
    """A frame without a record, which tells its shard up to when (epoch ms) nobody is to be taken for silent."""
    return _encode(Frame(VERSION, [], Readings([], [], {}, {}, [], []), [], {}, [], b"", until_ms))


def partition_name(topics: Sequence[str], origin: int) -> str:
    """`topic:partition` of an origin; `topics` are in the job's order."""
    return f"{topics[origin >> 16]}:{origin & 0xFFFF}"


def _reject(original: Original, rejection: Rejection, shards: int, heard_at_ms: int | None) -> tuple[int, Rejected]:
    reason, device_id, seen_at_ms, ahead_ms = rejection
    shard = original.origin % shards if device_id is None else shard_of(device_id, shards)
    return shard, Rejected(reason, original, device_id, seen_at_ms, heard_at_ms, ahead_ms)


def _frame(
    decoded: DecodedBatch,
    batch: Batch,
    arrivals: Arrivals,
    indices: list[int],
    rejected: list[Rejected],
    belated: list[int],
    excused_until_ms: int,
) -> Frame:
    pick = picker(indices)
    accepted = Batch(*map(pick, batch))
    readings = _readings(decoded, pick, indices)
    return Frame(
        VERSION,
        _spans(accepted, rejected),
        readings,
        list(pick(arrivals.seen_times_ms)),
        {bisect_left(indices, index): arrivals.heard_times_ms[index] for index in belated},
        rejected,
        compress(_encode(accepted)) if indices else b"",
        excused_until_ms,
    )


def _readings(decoded: DecodedBatch, pick: Callable[[Sequence[Any]], Any], indices: Sequence[int]) -> Readings:
    columns = {metric: list(pick(column)) for metric, column in decoded.columns.items()}
    others = {}
    if decoded.others:
        others = {at: decoded.others[index] for at, index in enumerate(indices) if index in decoded.others}
    numbers: dict[Location, int] = {}
    locations = pick(decoded.locations) if decoded.locations else []
    location_indices = [numbers.setdefault(location, len(numbers)) for location in locations]
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
