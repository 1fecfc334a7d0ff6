"""From the bytes of a record to a reading, or to the reason why it is none.

`judge` is the meaning: it looks at every rule and names the reason. `decode` is the speed: it takes a batch, accepts
what is plainly good with one typed decode, and asks `judge` about everything else. Both give the same answer for every
record, which a property test holds.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, TypeGuard, cast

import msgspec

from fleetpulse.reasons import Reason
from fleetpulse.times import to_epoch_ms

MAX_VALUE_BYTES = 1 << 20
MAX_DEVICE_ID_CHARS = 128
_LARGEST_FLOAT = Decimal("1.7976931348623157e308")


class Reading(NamedTuple):
    """An accepted record: which device spoke, and when it says it did (epoch ms)."""

    device_id: str
    event_time_ms: int


class Rejection(NamedTuple):
    """A rejected record. `device_id` and `life_time_ms` are set where it still counts as a sign of life."""

    reason: Reason
    device_id: str | None = None
    life_time_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """The names one kind of sender uses for its id and its time."""

    device_id: str
    time: str


EVENT = Dialect("device-id", "time")
TELEMETRY = Dialect("device_id", "ts")
METRICS = ("temperature_c", "humidity", "lat", "lon")


class _Record(msgspec.Struct, gc=False):
    """Both dialects at once: whichever id is set tells which one it is."""

    telemetry_id: str | None = msgspec.field(default=None, name="device_id")
    event_id: str | None = msgspec.field(default=None, name="device-id")
    ts: int | float | str | None = None
    time: int | float | str | None = None
    temperature_c: float | None = None
    humidity: float | None = None
    lat: float | None = None
    lon: float | None = None


_reading = tuple.__new__  # what `Reading._make` does, without a Python frame a record
_decode = msgspec.json.Decoder(_Record).decode
_NAMES = ((b'"device_id"', b'"device-id"'), (b'"ts"', b'"time"'))  # of the id and of the time, as they stand in JSON


def judge(value: bytes | None, kafka_time_ms: int, max_future_skew_ms: int) -> Reading | Rejection:
    """Decide one record by every rule of docs/contracts.md.

    Args:
        value: the record's value; None for a tombstone.
        kafka_time_ms: the record's Kafka timestamp.
        max_future_skew_ms: how far its time may be ahead of that.
    """
    if not value:
        return Rejection(Reason.EMPTY)
    if len(value) > MAX_VALUE_BYTES:
        return Rejection(Reason.TOO_LARGE)
    try:
        fields = _parse(value)
    except (ValueError, RecursionError):
        return Rejection(Reason.MALFORMED)
    if not isinstance(fields, _Object):
        return Rejection(Reason.NOT_AN_OBJECT)
    return _judge_object(fields, kafka_time_ms, max_future_skew_ms)


def _judge_object(fields: "_Object", kafka_time_ms: int, max_future_skew_ms: int) -> Reading | Rejection:
    values = dict(fields.pairs)
    dialects = [d for d in (TELEMETRY, EVENT) if values.get(d.device_id) is not None]
    named = [d for d in (TELEMETRY, EVENT) if d.device_id in values]
    if not named:
        return Rejection(Reason.UNKNOWN_SCHEMA)
    dialect = (dialects or named)[0]
    names = [name for name, _ in fields.pairs]
    if len(dialects) > 1 or names.count(dialect.device_id) > 1 or names.count(dialect.time) > 1:
        return Rejection(Reason.AMBIGUOUS_IDENTITY)
    device_id = values[dialect.device_id]
    if not _is_device_id(device_id):
        return Rejection(Reason.BAD_DEVICE_ID)
    time = values.get(dialect.time)
    try:
        event_time_ms = kafka_time_ms if time is None else to_epoch_ms(_time_of(time))
    except (ValueError, OverflowError):
        return Rejection(Reason.BAD_TIME, device_id, kafka_time_ms)
    life_time_ms = min(event_time_ms, kafka_time_ms)
    if event_time_ms > kafka_time_ms + max_future_skew_ms:
        return Rejection(Reason.FUTURE_TIMESTAMP, device_id, life_time_ms)
    if dialect is TELEMETRY and not all(_is_metric(values.get(name)) for name in METRICS):
        return Rejection(Reason.WRONG_TYPE, device_id, life_time_ms)
    return Reading(device_id, event_time_ms)


class _Object:
    """A JSON object as its pairs, so that a name that stands twice is seen."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs


def _reject_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _parse_int(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < 40 else Decimal(digits)


_json = json.JSONDecoder(
    object_pairs_hook=_Object, parse_float=Decimal, parse_int=_parse_int, parse_constant=_reject_constant
)


def _parse(value: bytes) -> object:
    text = value.decode()
    if text[0] == "\ufeff":
        raise ValueError("a byte order mark is not JSON")
    document: object = _json.decode(text)
    return document


def _is_device_id(value: object) -> TypeGuard[str]:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_DEVICE_ID_CHARS:
        return False
    # Cc is C0, DEL and C1; a lone surrogate cannot be written back as UTF-8.
    return not any(c < " " or "\x7f" <= c <= "\x9f" or "\ud800" <= c <= "\udfff" for c in value)


def _time_of(value: object) -> int | str | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError("time is neither a number nor a string")
    return value


def _is_metric(value: object) -> bool:
    if isinstance(value, bool):
        return False
    return value is None or (isinstance(value, int | Decimal) and abs(Decimal(value)) <= _LARGEST_FLOAT)


def decode(
    values: Sequence[bytes | None], kafka_times_ms: Sequence[int], max_future_skew_ms: int
) -> list[Reading | Rejection]:
    """Decide each record of a batch, in order: what `judge` would say, but fast.

    Args:
        values: the records' values; None for a tombstone.
        kafka_times_ms: their Kafka timestamps, as many.
        max_future_skew_ms: how far a record's time may be ahead of its Kafka timestamp.
    """
    blob = b"".join(filter(None, values))
    if _is_plain(blob):
        outcomes: list[Reading | Rejection | None] = [
            _accept(value, at, max_future_skew_ms, needs_time=True)
            for value, at in zip(values, kafka_times_ms, strict=True)
        ]
        refused = [i for i, outcome in enumerate(outcomes) if outcome is None]
        if _name_once(blob, b"".join(values[i] or b"" for i in refused), len(outcomes) - len(refused)):
            for i in refused:
                outcomes[i] = _decide(values[i], kafka_times_ms[i], max_future_skew_ms)
            return cast(list[Reading | Rejection], outcomes)
    return [_decide(value, at, max_future_skew_ms) for value, at in zip(values, kafka_times_ms, strict=True)]


def _decide(value: bytes | None, kafka_time_ms: int, max_future_skew_ms: int) -> Reading | Rejection:
    if value and _is_plain(value) and all(value.count(names[0]) + value.count(names[1]) <= 1 for names in _NAMES):
        accepted = _accept(value, kafka_time_ms, max_future_skew_ms, needs_time=False)
        if accepted is not None:
            return accepted
    return judge(value, kafka_time_ms, max_future_skew_ms)


def _is_plain(text: bytes) -> bool:
    """No escapes, nothing beyond ASCII, no DEL: then every name and id stands there as its own bytes.

    Control characters below space need no look: the typed decode refuses them inside strings.
    """
    return text.isascii() and b"\\" not in text and b"\x7f" not in text


def _name_once(blob: bytes, refused: bytes, accepted: int) -> bool:
    """Whether each accepted record names its id and its time once, told by counting over the whole batch.

    Each of them names both at least once, so equal sums leave no room for one that does so twice.
    """
    return all(sum(blob.count(name) - refused.count(name) for name in names) == accepted for names in _NAMES)


def _accept(value: bytes | None, kafka_time_ms: int, max_future_skew_ms: int, *, needs_time: bool) -> Reading | None:
    """The plainly good record; None where only `judge` can tell."""
    if not value or len(value) > MAX_VALUE_BYTES:
        return None
    try:
        record = _decode(value)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None
    device_id, time = record.telemetry_id, record.ts
    if device_id is None:
        device_id, time = record.event_id, record.time
    if not device_id or len(device_id) > MAX_DEVICE_ID_CHARS or (time is None and needs_time):
        return None
    if type(time) is int and 10**11 <= time < 10**14:
        event_time_ms = time
    elif time is None:
        event_time_ms = kafka_time_ms
    else:
        try:
            event_time_ms = to_epoch_ms(time)
        except (ValueError, OverflowError):
            return None
    if event_time_ms > kafka_time_ms + max_future_skew_ms:
        return None
    return _reading(Reading, (device_id, event_time_ms))
