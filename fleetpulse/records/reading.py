"""From the bytes of a record to a reading, or to the reason why it is none, by every rule of docs/contracts.md."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from fleetpulse.records.avro import SensorReadings, UnknownSchemaError
from fleetpulse.records.dialects import (
    IDS,
    NOWHERE,
    TELEMETRY,
    Dialect,
    Location,
    UnknownUnitError,
    WrongTypeError,
    dialect_of,
    is_name,
    location_of,
    metrics_of,
)
from fleetpulse.records.reasons import Reason
from fleetpulse.times import LAST_MS, to_epoch_ms

MAX_VALUE_BYTES = 1 << 20


class Reading(NamedTuple):
    """An accepted record: which device spoke, when it says it did (epoch ms), what it measured, where it stands."""

    device_id: str
    event_time_ms: int
    metrics: Mapping[str, float] = {}
    location: Location = NOWHERE


class Rejection(NamedTuple):
    """A rejected record. `device_id` and `seen_at_ms` are set where it still counts as a heartbeat."""

    reason: Reason
    device_id: str | None = None
    seen_at_ms: int | None = None


def decode_record(value: bytes | None, kafka_time_ms: int, max_future_skew_ms: int) -> Reading | Rejection:
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
    if not any(name in fields for name in IDS):
        return Rejection(Reason.UNKNOWN_SCHEMA)
    dialect = dialect_of(fields)
    given = [name for name in IDS if fields.get(name) is not None]
    named = given or [name for name in IDS if name in fields]
    if len(given) > 1 or fields.names.count(named[0]) > 1 or fields.names.count(dialect.time) > 1:
        return Rejection(Reason.AMBIGUOUS_IDENTITY)
    return decode_fields(dialect, fields, fields[named[0]], kafka_time_ms, max_future_skew_ms)


def decode_avro(value: bytes, avro: SensorReadings, kafka_time_ms: int, max_future_skew_ms: int) -> Reading | Rejection:
    """Decide a record in Avro, which begins with a zero, by the same rules; `avro` decodes it."""
    if len(value) > MAX_VALUE_BYTES:
        return Rejection(Reason.TOO_LARGE)
    try:
        fields = avro.fields_of(value)
    except UnknownSchemaError:
        return Rejection(Reason.UNKNOWN_SCHEMA)
    except ValueError:
        return Rejection(Reason.MALFORMED)
    return decode_fields(TELEMETRY, fields, fields["device_id"], kafka_time_ms, max_future_skew_ms)


def decode_fields(
    dialect: Dialect, fields: Mapping[str, object], device_id: object, kafka_time_ms: int, max_future_skew_ms: int
) -> Reading | Rejection:
    """Decide a record by its fields, once it is known which of them names its device."""
    if not is_name(device_id):
        return Rejection(Reason.BAD_DEVICE_ID)
    if kafka_time_ms > LAST_MS:
        return Rejection(Reason.BAD_TIME)  # no heartbeat: nothing says when it was
    time = fields.get(dialect.time)
    try:
        event_time_ms = kafka_time_ms if time is None else to_epoch_ms(time_of(time))
    except (ValueError, OverflowError):
        return Rejection(Reason.BAD_TIME, device_id, max(1, kafka_time_ms))
    [seen_at_ms] = seen_times([event_time_ms], [kafka_time_ms])
    if event_time_ms > min(kafka_time_ms + max_future_skew_ms, LAST_MS):  # what follows can write no later time
        return Rejection(Reason.FUTURE_TIMESTAMP, device_id, seen_at_ms)
    try:
        return Reading(device_id, event_time_ms, metrics_of(dialect, fields), location_of(dialect, fields))
    except WrongTypeError:
        return Rejection(Reason.WRONG_TYPE, device_id, seen_at_ms)
    except UnknownUnitError:
        return Rejection(Reason.UNKNOWN_UNIT, device_id, seen_at_ms)


def seen_times(event_times_ms: Sequence[int], kafka_times_ms: Sequence[int]) -> list[int]:
    """When records say their devices were alive; after 1970, whatever their timestamps."""
    times_ms = list(map(min, event_times_ms, kafka_times_ms))
    return times_ms if min(times_ms, default=1) > 0 else [max(1, time_ms) for time_ms in times_ms]


def time_of(value: object) -> int | str | Decimal:
    """What a time may be.

    Raises:
        ValueError: it is neither a number nor a string.
    """
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError("time is neither a number nor a string")
    return value


class _Object(dict[str, object]):
    """A JSON object that remembers a name that stands twice."""

    __slots__ = ("names",)

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        self.names = [name for name, _ in pairs]


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
