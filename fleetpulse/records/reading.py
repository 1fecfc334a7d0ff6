"""Decodes a record into a Reading, or the Reason it is rejected, by the checks of docs/contracts.md."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
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
from fleetpulse.records.parsing import JsonObject, id_in, parse
from fleetpulse.records.reasons import Reason
from fleetpulse.times import LAST_MS, to_epoch_ms

MAX_VALUE_BYTES = 1 << 20
_TWICE = object()  # in place of a time that is named twice: it cannot be read


class Reading(NamedTuple):
    """An accepted record: which device spoke, when it says it did (epoch ms), what it measured, where it stands."""

    device_id: str
    event_time_ms: int
    metrics: Mapping[str, float] = {}
    location: Location = NOWHERE


class Rejection(NamedTuple):
    """A rejected record. `device_id` and `seen_at_ms` are set where it still counts as a heartbeat.

    `ahead_ms` is how far the time of one from the future is ahead of its Kafka timestamp.
    """

    reason: Reason
    device_id: str | None = None
    seen_at_ms: int | None = None
    ahead_ms: int = 0


def decode_record(value: bytes | None, kafka_time_ms: int, max_future_skew_ms: int) -> Reading | Rejection:
    """Decode one record by the checks of docs/contracts.md.

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
        fields = parse(value)
    except ValueError:
        return _heard(Reason.MALFORMED, id_in(value), kafka_time_ms)
    if not isinstance(fields, JsonObject):
        return Rejection(Reason.NOT_AN_OBJECT)
    named = [name for name in IDS if name in fields]
    if not named:
        return Rejection(Reason.UNKNOWN_SCHEMA)
    dialect = dialect_of(fields)
    device_ids = [fields[name] for name in named if fields[name] is not None]
    if not _agree(device_ids) or any(fields.names.count(name) > 1 for name in named):
        return Rejection(Reason.AMBIGUOUS_IDENTITY)
    if fields.names.count(dialect.time) > 1:
        fields[dialect.time] = _TWICE
    return decode_fields(dialect, fields, device_ids[0] if device_ids else None, kafka_time_ms, max_future_skew_ms)


def _agree(device_ids: Sequence[object]) -> bool:
    """Whether ids of several dialects are one and the same string."""
    return len(device_ids) < 2 or (isinstance(device_ids[0], str) and all(one == device_ids[0] for one in device_ids))


def _heard(reason: Reason, device_id: str | None, kafka_time_ms: int) -> Rejection:
    """Reject a record without a usable time. Its device, if known, is seen at the Kafka timestamp."""
    if device_id is None or kafka_time_ms > LAST_MS:  # it has no time at all
        return Rejection(reason)
    return Rejection(reason, device_id, max(1, kafka_time_ms))


def decode_avro(value: bytes, avro: SensorReadings, kafka_time_ms: int, max_future_skew_ms: int) -> Reading | Rejection:
    """Decide a record in Avro, which begins with a zero, by the same rules; `avro` decodes it."""
    if len(value) > MAX_VALUE_BYTES:
        return Rejection(Reason.TOO_LARGE)
    try:
        fields, units_per_ms = avro.fields_of(value)
    except UnknownSchemaError:
        return Rejection(Reason.UNKNOWN_SCHEMA)
    except ValueError:
        return Rejection(Reason.MALFORMED)
    return decode_fields(TELEMETRY, fields, fields["device_id"], kafka_time_ms, max_future_skew_ms, units_per_ms)


def decode_fields(
    dialect: Dialect,
    fields: Mapping[str, object],
    device_id: object,
    kafka_time_ms: int,
    max_future_skew_ms: int,
    units_per_ms: int | None = None,
) -> Reading | Rejection:
    """Decide a record by its fields, once it is known which of them names its device.

    `units_per_ms` is what its time counts in, where a schema tells; else a number shows it by its size.
    """
    if not is_name(device_id):
        return Rejection(Reason.BAD_DEVICE_ID)
    if kafka_time_ms > LAST_MS:
        return _heard(Reason.BAD_TIME, device_id, kafka_time_ms)
    time = fields.get(dialect.time)
    try:
        event_time_ms = kafka_time_ms if time is None else _time_ms(time, units_per_ms)
    except (ValueError, OverflowError):
        return _heard(Reason.BAD_TIME, device_id, kafka_time_ms)
    [seen_at_ms] = seen_times([event_time_ms], [kafka_time_ms])
    if event_time_ms > min(kafka_time_ms + max_future_skew_ms, LAST_MS):  # what follows can write no later time
        return Rejection(Reason.FUTURE_TIMESTAMP, device_id, seen_at_ms, min(event_time_ms, LAST_MS) - kafka_time_ms)
    try:
        return Reading(device_id, event_time_ms, metrics_of(dialect, fields), location_of(dialect, fields))
    except WrongTypeError:
        return Rejection(Reason.WRONG_TYPE, device_id, seen_at_ms)
    except UnknownUnitError:
        return Rejection(Reason.UNKNOWN_UNIT, device_id, seen_at_ms)


def seen_times(event_times_ms: Sequence[int], kafka_times_ms: Sequence[int]) -> list[int]:
    """When devices were seen by records that come in order; after 1970, whatever their timestamps."""
    times_ms = list(map(min, event_times_ms, kafka_times_ms))
    return times_ms if min(times_ms, default=1) > 0 else [max(1, time_ms) for time_ms in times_ms]


def _time_ms(time: object, units_per_ms: int | None) -> int:
    if units_per_ms is None or type(time) is not int:
        return to_epoch_ms(time_of(time))
    if time < units_per_ms:
        raise ValueError("time is not after 1970-01-01T00:00:00Z")
    return time // units_per_ms


def time_of(value: object) -> int | str | Decimal:
    """What a time may be.

    Raises:
        ValueError: it is neither a number nor a string.
    """
    if isinstance(value, float):  # as Avro has it
        return Decimal(repr(value))
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError("time is neither a number nor a string")
    return value
