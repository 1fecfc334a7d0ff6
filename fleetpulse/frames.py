"""Frames: the few, large things that cross between Flink and Python instead of single records.

A frame carries what one batch of records holds for one shard: its readings, its rejected records, and how many records
of which partition those were. The bytes of its records travel along compressed and are opened only if one is late.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from operator import itemgetter
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


_PLACE = itemgetter(0, 1)  # origin and offset
_encode = msgspec.msgpack.Encoder().encode
_decode_frame = msgspec.msgpack.Decoder(Frame).decode
_decode_originals = msgspec.msgpack.Decoder(list[Original]).decode


def pack(originals: Sequence[Original], shards: int, max_future_skew_ms: int) -> dict[int, bytes]:
    """Decode a batch and pack it by shard: shard to frame, no shard without a record.

    A rejected record without a device travels with the shard of its partition.
    """
    outcomes = decode([o[4] for o in originals], [o[2] for o in originals], max_future_skew_ms)
    places: dict[int, list[int]] = defaultdict(list)
    rejected: dict[int, list[Rejected]] = defaultdict(list)
    for place, outcome in enumerate(outcomes):
        if type(outcome) is Reading:
            places[crc32(outcome[0].encode()) % shards].append(place)
        else:
            shard, record = _reject(originals[place], cast(Rejection, outcome), shards)
            rejected[shard].append(record)
    return {
        shard: _encode(_frame(outcomes, originals, places.get(shard, []), rejected.get(shard, [])))
        for shard in places.keys() | rejected.keys()
    }


def _reject(original: Original, rejection: Rejection, shards: int) -> tuple[int, Rejected]:
    device_id = rejection.device_id
    shard = original.origin % shards if device_id is None else shard_of(device_id, shards)
    return shard, Rejected(rejection.reason, original, device_id, rejection.life_time_ms)


def _frame(
    outcomes: Sequence[Reading | Rejection],
    originals: Sequence[Original],
    places: list[int],
    rejected: list[Rejected],
) -> Frame:
    readings = [cast(Reading, outcomes[place]) for place in places]
    accepted = [originals[place] for place in places]
    event_times_ms = [reading[1] for reading in readings]
    return Frame(
        VERSION,
        _spans(sorted([*accepted, *(r.original for r in rejected)], key=_PLACE) if rejected else accepted),
        [reading[0] for reading in readings],
        event_times_ms,
        list(map(min, event_times_ms, [original[2] for original in accepted])),
        rejected,
        compress(_encode(accepted)) if accepted else b"",
    )


def _spans(originals: list[Original]) -> list[Span]:
    """What was read of each partition; `originals` come in the order of their offsets, as they were read."""
    origins = [original[0] for original in originals]
    last_offsets = dict(zip(origins, [original[1] for original in originals], strict=True))
    return [Span(origin, records, last_offsets[origin] + 1) for origin, records in Counter(origins).items()]


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
