"""Dialects: how kinds of senders name things, and what their fields say of metrics and locations."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, TypeGuard

from fleetpulse.records.metrics import OF_TYPE, converted, is_metric_name


@dataclass(frozen=True, slots=True)
class Dialect:
    """The names one kind of sender uses for its id and its time."""

    device_id: str
    time: str


EVENT = Dialect("device-id", "time")
TELEMETRY = Dialect("device_id", "ts")
TYPED = Dialect("device_id", "ts")  # as telemetry, told apart by `event_type`
SENSOR = Dialect("sensor_id", "timestamp")
IDS = tuple(dict.fromkeys(dialect.device_id for dialect in (TELEMETRY, EVENT, SENSOR)))
TELEMETRY_METRICS = ("temperature_c", "humidity", "lat", "lon")


class Location(NamedTuple):
    """Where a device stands, as far as its records say."""

    site: str | None = None
    machine: str | None = None
    zone: str | None = None


NOWHERE = Location()


MAX_NAME_CHARS = 128


class WrongTypeError(ValueError):
    """A field that is used is not of its type."""


class UnknownUnitError(ValueError):
    """A value in a unit that its metric cannot be told in."""


def dialect_of(fields: Mapping[str, object]) -> Dialect:
    """The dialect of an object that names its device in exactly one way."""
    if fields.get(SENSOR.device_id) is not None:
        return SENSOR
    if fields.get(EVENT.device_id) is not None:
        return EVENT
    return TELEMETRY if fields.get("event_type") is None else TYPED


def is_name(value: object) -> TypeGuard[str]:
    """Whether this names a device or a location: 1 to 128 characters that UTF-8 has, no control characters."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME_CHARS:
        return False
    # Cc is C0, DEL and C1; a lone surrogate cannot be written back as UTF-8.
    return not any(c < " " or "\x7f" <= c <= "\x9f" or "\ud800" <= c <= "\udfff" for c in value)


def metrics_of(dialect: Dialect, fields: Mapping[str, object]) -> dict[str, float]:
    """What an object's fields measure; absent and null ones measure nothing.

    Raises:
        WrongTypeError: a number is none, or not finite; or a name or a unit is no string.
        UnknownUnitError: the unit is not one of the metric's.
    """
    if dialect is TELEMETRY:
        return _numbers({name: fields.get(name) for name in TELEMETRY_METRICS})
    if dialect is SENSOR:
        return _measured(fields.get("sensor_type"), fields.get("value"), fields.get("unit"))
    if dialect is TYPED:
        return _of_payload(fields["event_type"], _object(fields.get("payload")))
    return {}


def location_of(dialect: Dialect, fields: Mapping[str, object]) -> Location:
    """Where an object says that its device stands.

    Raises:
        WrongTypeError: the location is no object, or a name in it no string.
    """
    if dialect is not SENSOR or fields.get("location") is None:
        return NOWHERE
    location = _object(fields["location"])
    return Location(*(_location_name(location.get(name)) for name in ("factory_section", "machine_id", "zone")))


def _of_payload(event_type: object, payload: Mapping[str, object]) -> dict[str, float]:
    if event_type == "location":
        return _numbers({name: payload.get(name) for name in ("lat", "lon")})
    name = payload.get("name") if event_type == "custom" else None
    return _measured(event_type if name is None else name, payload.get("value"), payload.get("unit"))


def _measured(kind: object, value: object, unit: object) -> dict[str, float]:
    if value is None:
        return {}
    if not isinstance(kind, str) or not is_metric_name(kind):
        raise WrongTypeError(kind)
    metric = OF_TYPE.get(kind, kind)
    if unit is not None and not isinstance(unit, str):
        raise WrongTypeError(unit)
    in_own_unit = converted(metric, _number(value), unit)
    if in_own_unit is None:
        raise UnknownUnitError(unit)
    return {metric: _number(in_own_unit)}


def _numbers(values: Mapping[str, object]) -> dict[str, float]:
    return {name: _number(value) for name, value in values.items() if value is not None}


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise WrongTypeError(value)
    try:
        number = float(value)
    except OverflowError as huge:
        raise WrongTypeError(value) from huge
    if not math.isfinite(number):
        raise WrongTypeError(value)
    return number


def _object(value: object) -> Mapping[str, object]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise WrongTypeError(value)
    return value


def _location_name(value: object) -> str | None:
    if value is None or value == "":
        return None
    if not is_name(value):
        raise WrongTypeError(value)
    return value
