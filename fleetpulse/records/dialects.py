"""Dialects: the field names of kinds of senders, and the metrics and locations in their fields."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, TypeGuard

from fleetpulse.records.metrics import OF_TYPE, UNITS, converted, metric_of


@dataclass(frozen=True, slots=True)
class Dialect:
    """The names one kind of sender uses for its id and its time."""

    device_id: str
    time: str


EVENT = Dialect("device-id", "time")
TELEMETRY = Dialect("device_id", "ts")
TYPED = Dialect("device_id", "ts")  # as telemetry, recognized by `event_type`
SENSOR = Dialect("sensor_id", "timestamp")
IDS = tuple(dict.fromkeys(dialect.device_id for dialect in (TELEMETRY, EVENT, SENSOR)))
_METRICS = frozenset(UNITS)
_NUMBERS = (float, int, Decimal)
TELEMETRY_METRICS = ("temperature_c", "humidity", "lat", "lon")


class Location(NamedTuple):
    """Where a device is, as far as its records say."""

    site: str | None = None
    machine: str | None = None
    zone: str | None = None


NOWHERE = Location()


MAX_NAME_CHARS = 128
# Cc is C0, DEL and C1; a lone surrogate cannot be written back as UTF-8.
_NAME = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{MAX_NAME_CHARS}}}")


class WrongTypeError(ValueError):
    """A field that is used is not of its type."""


class UnknownUnitError(ValueError):
    """A value in a unit that its metric does not have."""


def dialect_of(fields: Mapping[str, object]) -> Dialect:
    """The dialect of an object: of several that it names its device in, the first whose time it has."""
    telemetry = TELEMETRY if fields.get("event_type") is None else TYPED
    if fields.get(SENSOR.device_id) is None and fields.get(EVENT.device_id) is None:
        return telemetry
    dialects = [one for one in (SENSOR, EVENT, telemetry) if fields.get(one.device_id) is not None]
    return next((one for one in dialects if fields.get(one.time) is not None), dialects[0])


def is_name(value: object) -> TypeGuard[str]:
    """Return whether this names a device or a location: 1 to 128 characters that UTF-8 has, no control characters."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def metrics_of(dialect: Dialect, fields: Mapping[str, object]) -> dict[str, float]:
    """Return the metrics in an object's fields; absent and null fields measure nothing.

    Raises:
        WrongTypeError: a number is of another type or not finite, or a name or a unit is not a string.
        UnknownUnitError: the unit is not one of the metric's.
    """
    if dialect is TELEMETRY:
        return _numbers(fields, TELEMETRY_METRICS)
    if dialect is SENSOR:
        return _beside(fields) | _of_type(fields.get("sensor_type"), (fields,))
    if dialect is TYPED:
        payload = _object(fields.get("payload"))
        return _beside(fields) | _beside(payload) | _of_event(fields["event_type"], (payload, fields))
    return {}


def location_of(dialect: Dialect, fields: Mapping[str, object]) -> Location:
    """Return where the device is, by its object's fields.

    Raises:
        WrongTypeError: the location is not an object, or a name in it is not a string.
    """
    if dialect is not SENSOR or fields.get("location") is None:
        return NOWHERE
    location = _object(fields["location"])
    return Location(*(_location_name(location.get(name)) for name in ("factory_section", "machine_id", "zone")))


def _beside(fields: Mapping[str, object]) -> dict[str, float]:
    """Numbers under a metric's own name beside a type; other values there are unknown fields."""
    if _METRICS.isdisjoint(fields):
        return {}
    return {name: _number(fields[name]) for name in UNITS if is_number(fields.get(name))}


def _of_event(event_type: object, places: Sequence[Mapping[str, object]]) -> dict[str, float]:
    kind = event_type.lower() if isinstance(event_type, str) else ""
    if kind == "location":
        return _numbers(places[0], ("lat", "lon"))
    if kind == "custom":
        event_type = next((name for place in places if (name := place.get("name")) is not None), event_type)
    return _of_type(event_type, places)


def _of_type(kind: object, places: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """The value of a type: `value`, or a field with the type's name, in the first place that has one."""
    own_name = kind.lower() if isinstance(kind, str) else ""
    for place in places:
        value = place.get("value")
        if value is None and own_name in OF_TYPE:
            value = place.get(own_name)
        if value is not None:
            return _measured(kind, value, place.get("unit"))
    return {}


def _measured(kind: object, value: object, unit: object) -> dict[str, float]:
    metric = metric_of(kind)
    if metric is None:
        raise WrongTypeError(kind)
    if unit is not None and not isinstance(unit, str):
        raise WrongTypeError(unit)
    in_own_unit = converted(metric, _number(value), unit)
    if in_own_unit is None:
        raise UnknownUnitError(unit)
    return {metric: _number(in_own_unit)}


def _numbers(fields: Mapping[str, object], names: Iterable[str]) -> dict[str, float]:
    return {name: _number(value) for name in names if (value := fields.get(name)) is not None}


def is_number(value: object) -> TypeGuard[int | float | Decimal]:
    """Return whether a parsed value is a number, which a boolean is not."""
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def _number(value: object) -> float:
    if not is_number(value):
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
