"""Frames: the few, large things that cross between Flink and Python instead of single records.

A frame carries what one batch of records holds for one shard: its readings, its rejected records, and how many records
of which partition those were. The bytes of its records travel along compressed and are opened only if one is late.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple, cast
from zlib import crc32

import msgspec
from lz4.block import compress, decompress

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
    outcomes = decode([o[4] for o in originals], [o[2] for o in originals], max_future_skew_ms)
    builders: dict[int, _Builder] = defaultdict(_Builder)
    for original, outcome in zip(originals, outcomes, strict=True):
        if type(outcome) is Reading:
            builder = builders[crc32(outcome[0].encode()) % shards]
            builder.readings.append(outcome)
            builder.originals.append(original)
        else:
            rejection = cast(Rejection, outcome)
            shard = original.origin % shards if rejection.device_id is None else shard_of(rejection.device_id, shards)
            builders[shard].rejected.append(
                Rejected(rejection.reason, original, rejection.device_id, rejection.life_time_ms)
            )
    return {shard: builder.frame() for shard, builder in builders.items()}


class _Builder:
    __slots__ = ("originals", "readings", "rejected")

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.originals: list[Original] = []
        self.rejected: list[Rejected] = []

    def frame(self) -> bytes:
        devices, event_times = (
            (list(column) for column in zip(*self.readings, strict=True)) if self.readings else ([], [])
        )
        lives = list(map(min, event_times, [o[2] for o in self.originals]))
        originals = compress(_encode(self.originals)) if self.originals else b""
        return _encode(Frame(VERSION, self._spans(), devices, event_times, lives, self.rejected, originals))

    def _spans(self) -> list[Span]:
        places = sorted((record[0], record[1]) for record in [*self.originals, *(r.original for r in self.rejected)])
        last_offset = dict(places)
        return [
            Span(origin, n, last_offset[origin] + 1) for origin, n in Counter(origin for origin, _ in places).items()
        ]


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
    return _decode_originals(decompress(frame.originals)) if frame.originals else []
