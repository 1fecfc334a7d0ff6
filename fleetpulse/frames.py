"""Frames: the few, large things that cross between Flink and Python instead of single records.

A frame carries what one batch of records holds for one shard: its readings, its rejected records, and how many records
of which partition those were. The bytes of its records travel along compressed and are opened only if one is late.
"""

from collections.abc import Sequence
from typing import NamedTuple

import lz4.block
import msgspec

from fleetpulse.readings import Reading, Rejection, decode
from fleetpulse.reasons import Reason
from fleetpulse.shards import shard_of

VERSION = 1


class Original(NamedTuple):
    """A record as it was read. `origin` is its topic's place in the job's list times 65536, plus its partition."""

    origin: int
    offset: int
    kafka_time_ms: int
    key: bytes | None
    value: bytes | None


class Rejected(NamedTuple):
    """A rejected record; device and life time (epoch ms) are set where it still counts as a sign of life."""

    reason: Reason
    original: Original
    device_id: str | None
    life_time_ms: int | None


class Span(NamedTuple):
    """How many records of one partition a frame accounts for, and the offset after the last of them."""

    origin: int
    records: int
    next_offset: int


class Frame(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What crosses. The three lists run in parallel, one entry a reading; `originals` is compressed."""

    version: int
    spans: list[Span]
    devices: list[str]
    event_times_ms: list[int]
    life_times_ms: list[int]
    rejected: list[Rejected]
    originals: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode_frame = msgspec.msgpack.Decoder(Frame).decode
_decode_originals = msgspec.msgpack.Decoder(list[Original]).decode


def pack(originals: Sequence[Original], shards: int, max_future_skew_ms: int) -> dict[int, bytes]:
    """Decode a batch and pack it by shard: shard to frame, no shard without a record.

    A rejected record without a device travels with the shard of its partition.
    """
    outcomes = decode([o.value for o in originals], [o.kafka_time_ms for o in originals], max_future_skew_ms)
    builders: dict[int, _Builder] = {}
    for original, outcome in zip(originals, outcomes, strict=True):
        device_id = outcome.device_id
        shard = original.origin % shards if device_id is None else shard_of(device_id, shards)
        builder = builders.get(shard)
        if builder is None:
            builder = builders[shard] = _Builder()
        if type(outcome) is Reading:
            builder.readings.append(outcome)
            builder.originals.append(original)
        else:
            builder.reject(original, outcome)
    return {shard: builder.frame() for shard, builder in builders.items()}


class _Builder:
    __slots__ = ("originals", "readings", "rejected")

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.originals: list[Original] = []
        self.rejected: list[Rejected] = []

    def reject(self, original: Original, rejection: Rejection) -> None:
        self.rejected.append(Rejected(rejection.reason, original, rejection.device_id, rejection.life_time_ms))

    def frame(self) -> bytes:
        originals = self.originals
        devices = [r.device_id for r in self.readings]
        event_times = [r.event_time_ms for r in self.readings]
        lives = [min(at, o.kafka_time_ms) for at, o in zip(event_times, originals, strict=True)]
        compressed = lz4.block.compress(_encode(originals)) if originals else b""
        spans = _spans(originals + [r.original for r in self.rejected])
        return _encode(Frame(VERSION, spans, devices, event_times, lives, self.rejected, compressed))


def _spans(originals: list[Original]) -> list[Span]:
    records: dict[int, int] = {}
    next_offset: dict[int, int] = {}
    for origin, offset, *_ in originals:
        records[origin] = records.get(origin, 0) + 1
        next_offset[origin] = max(next_offset.get(origin, 0), offset + 1)
    return [Span(origin, count, next_offset[origin]) for origin, count in records.items()]


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
    return _decode_originals(lz4.block.decompress(frame.originals)) if frame.originals else []
