"""From the bytes of a record to a reading, or to the reason why it is none.

`judge` is the meaning: it looks at every rule and names the reason. `decode` is the speed: it takes a batch, accepts
what is plainly good with one typed decode, and asks `judge` about everything else. Both give the same answer for every
record, which a property test holds.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from operator import sub
from typing import Any, NamedTuple, TypeGuard, cast

import msgspec

from fleetpulse.reasons import Reason
from fleetpulse.times import LAST_MS, to_epoch_ms

MAX_VALUE_BYTES = 1 << 20
MAX_DEVICE_ID_CHARS = 128


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
    ts: Any = None
    time: Any = None
    temperature_c: float | None = None
    humidity: float | None = None
    lat: float | None = None
    lon: float | None = None


# Decimal, since a float would round a time up. Metrics are floats by their type, which the hook leaves alone.
_decode_lines = msgspec.json.Decoder(_Record, float_hook=Decimal).decode_lines
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
    if kafka_time_ms > LAST_MS:
        return Rejection(Reason.BAD_TIME)  # no sign of life: nothing says when it was
    time = values.get(dialect.time)
    try:
        event_time_ms = kafka_time_ms if time is None else to_epoch_ms(_time_of(time))
    except (ValueError, OverflowError):
        return Rejection(Reason.BAD_TIME, device_id, max(1, kafka_time_ms))
    [life_time_ms] = life_times([event_time_ms], [kafka_time_ms])
    if event_time_ms > kafka_time_ms + max_future_skew_ms:
        return Rejection(Reason.FUTURE_TIMESTAMP, device_id, life_time_ms)
    if dialect is TELEMETRY and not all(_is_metric(values.get(name)) for name in METRICS):
        return Rejection(Reason.WRONG_TYPE, device_id, life_time_ms)
    return Reading(device_id, event_time_ms)


def life_times(event_times_ms: Sequence[int], kafka_times_ms: Sequence[int]) -> list[int]:
    """When records say their devices were alive; after 1970, whatever their timestamps."""
    times_ms = list(map(min, event_times_ms, kafka_times_ms))
    return times_ms if min(times_ms, default=1) > 0 else [max(1, time_ms) for time_ms in times_ms]


class _Object:
    """A JSON object as its pairs, so that a name that stands twice is seen."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs


def _reject_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _parse_int(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < 40 else Decimal(digits)


def _parse_float(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # the exponent has more digits than a Decimal takes
        mantissa, _, exponent = text.lower().partition("e")
        return Decimal(0) if exponent.startswith("-") or not Decimal(mantissa) else Decimal("Infinity")


_json = json.JSONDecoder(
    object_pairs_hook=_Object, parse_float=_parse_float, parse_int=_parse_int, parse_constant=_reject_constant
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
    return value is None or (isinstance(value, int | Decimal) and math.isfinite(float(value)))


class Decoded(NamedTuple):
    """A decided batch in columns, in order. Where `rejections` has a place, the device is empty and the time 0."""

    devices: list[str]
    event_times_ms: list[int]
    rejections: dict[int, Rejection]

    def append(self, outcome: Reading | Rejection) -> None:
        """Add the next record of the batch."""
        if isinstance(outcome, Rejection):
            self.rejections[len(self.devices)] = outcome
            outcome = _NO_READING
        self.devices.append(outcome.device_id)
        self.event_times_ms.append(outcome.event_time_ms)


_NO_READING = Reading("", 0)
_LOT = 128  # records that are decoded at once: if one of them is not plainly good, each of them is looked at


def decode(values: Sequence[bytes | None], kafka_times_ms: Sequence[int], max_future_skew_ms: int) -> Decoded:
    """Decide each record of a batch, in order: what `judge` would say, but fast.

    Args:
        values: the records' values; None for a tombstone.
        kafka_times_ms: their Kafka timestamps, as many.
        max_future_skew_ms: how far a record's time may be ahead of its Kafka timestamp.
    """
    decoded = Decoded([], [], {})
    for start in range(0, len(values), _LOT):
        lot, times_ms = values[start : start + _LOT], kafka_times_ms[start : start + _LOT]
        accepted = _accept_all(lot, times_ms, max_future_skew_ms)
        if accepted is None:
            for value, kafka_time_ms in zip(lot, times_ms, strict=True):
                decoded.append(_decide(value, kafka_time_ms, max_future_skew_ms))
        else:
            decoded.devices.extend(accepted[0])
            decoded.event_times_ms.extend(accepted[1])
    return decoded


def _decide(value: bytes | None, kafka_time_ms: int, max_future_skew_ms: int) -> Reading | Rejection:
    accepted = _accept_all([value], [kafka_time_ms], max_future_skew_ms)
    if accepted is None:
        return judge(value, kafka_time_ms, max_future_skew_ms)
    return Reading(accepted[0][0], accepted[1][0])


def _accept_all(
    values: Sequence[bytes | None], kafka_times_ms: Sequence[int], max_future_skew_ms: int
) -> tuple[list[str], list[int]] | None:
    """Devices and event times of records that are all plainly good; None where only `judge` can tell.

    They are decoded as lines of one text. A document cannot go on from one value into the next: every line must end
    with a brace and the next begin with one, and JSON has no place for such a pair inside a document. Each must name
    its device exactly once, and all their time once or none at all; counting is enough, since no record lacks them.
    """
    if None in values:
        return None
    text = b"\n".join(cast(Sequence[bytes], values))
    count, breaks = len(values), len(values) - 1
    if breaks and (text.count(b"\n") != breaks or text.count(b"}\n{") != breaks):
        return None
    if not _is_plain(text):
        return None
    named, timed = (sum(map(text.count, names)) for names in _NAMES)
    if len(text) > MAX_VALUE_BYTES or named != count or timed not in (0, count):
        return None
    try:
        records = _decode_lines(text)
        devices = [record.event_id if record.telemetry_id is None else record.telemetry_id for record in records]
        event_times_ms = _event_times_ms(records) if timed else list(kafka_times_ms)
    except (ValueError, ArithmeticError, RecursionError):  # msgspec's errors are ValueErrors
        return None
    if len(records) != count or not all(devices) or max(map(len, cast(list[str], devices))) > MAX_DEVICE_ID_CHARS:
        return None
    if max(map(sub, event_times_ms, kafka_times_ms)) > max_future_skew_ms or max(kafka_times_ms) > LAST_MS:
        return None
    return cast(list[str], devices), event_times_ms


def _event_times_ms(records: list[_Record]) -> list[int]:
    times = [record.time if record.telemetry_id is None else record.ts for record in records]
    return [time if type(time) is int and 10**11 <= time < 10**14 else to_epoch_ms(_time_of(time)) for time in times]


def _is_plain(text: bytes) -> bool:
    """No escapes, nothing beyond ASCII, no DEL: then every name and id stands there as its own bytes.

    Control characters below space need no look: the typed decode refuses them inside strings.
    """
    return text.isascii() and b"\\" not in text and b"\x7f" not in text
