"""Metrics: one name and unit each, whatever the sender calls them."""

import math
import re
from collections.abc import Iterable
from decimal import Decimal
from difflib import get_close_matches
from typing import NamedTuple

UNITS: dict[str, str] = {
    "temperature_c": "°C",
    "humidity": "%",
    "lat": "°",
    "lon": "°",
    "battery": "%",
    "vibration_mm_s": "mm/s",
    "energy_kw": "kW",
    "pressure_hpa": "hPa",
}
"""Units of the metrics that have a name of their own. Others are named by their senders, and come without one."""

# What factory sensors and typed events call them.
OF_TYPE = {
    "temperature": "temperature_c",
    "humidity": "humidity",
    "battery": "battery",
    "vibration": "vibration_mm_s",
    "energy": "energy_kw",
    "pressure": "pressure_hpa",
}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_BY_NAME = {name: name for name in UNITS} | OF_TYPE
_RESEMBLES = 0.8  # how much of two names must be the same, from 0 to 1


class Conversion(NamedTuple):
    """To a metric's own unit: (value * `times` + `plus`) / `over`, in whole numbers, so that it is rounded once."""

    times: int
    plus: int = 0
    over: int = 1


_OWN = Conversion(1)
CONVERSIONS: dict[str, dict[str, Conversion]] = {
    "temperature_c": {
        **dict.fromkeys(("°C", "C", "Cel", "celsius", "degC", "degreesC"), _OWN),
        **dict.fromkeys(("°F", "F", "[degF]", "fahrenheit", "degF", "degreesF"), Conversion(5, -160, 9)),
        **dict.fromkeys(("K", "kelvin"), Conversion(100, -27315, 100)),
    },
    "humidity": dict.fromkeys(("%", "percent", "%RH"), _OWN),
    "battery": dict.fromkeys(("%", "percent"), _OWN),
    "vibration_mm_s": {
        **dict.fromkeys(("mm/s", "MM/S"), _OWN),
        **dict.fromkeys(("m/s", "M/S"), Conversion(1000)),
    },
    "energy_kw": {
        "kW": _OWN,
        "mW": Conversion(1, over=1_000_000),
        "W": Conversion(1, over=1000),
        "MW": Conversion(1000),
    },
    "pressure_hpa": {
        **dict.fromkeys(("hPa", "mbar", "MBAR"), _OWN),
        "mPa": Conversion(1, over=100_000),
        "Pa": Conversion(1, over=100),
        "kPa": Conversion(10),
        "MPa": Conversion(10_000),
        "bar": Conversion(1000),
    },
}
"""The units that a metric is read in, as they are written."""


def _any_case(units: Iterable[str]) -> dict[str, str]:
    """Units by their lower case. An m that may be milli or mega is not guessed."""
    return {unit.lower(): unit for unit in units if unit[0] not in "mM"}


UNITS_IN_ANY_CASE = {metric: _any_case(conversions) for metric, conversions in CONVERSIONS.items()}
# Other characters for a degree sign, signs that are a unit of their own, and blanks.
_RESPELLED = str.maketrans(
    {
        "º": "°",
        "˚": "°",
        "⁰": "°",
        "℃": "°C",
        "℉": "°F",
        "\u212a": "K",
        **dict.fromkeys(" \t\r\n\u00a0\u2009\u202f", ""),
    }
)


def is_metric_name(name: object) -> bool:
    """Return whether this is a valid name of a metric: a letter, then at most 63 letters, digits, `_`, `.` and `-`."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def metric_of(name: object) -> str | None:
    """Return the metric of a type or a metric's name, in any case; any other valid name is its own metric."""
    if not isinstance(name, str):
        return None
    return _BY_NAME.get(name.lower()) or (name if is_metric_name(name) else None)


def nearest_metric(name: str) -> str | None:
    """The metric with a unit of its own that a name is the name of, or is meant to be; None where it resembles none."""
    near = get_close_matches(name.lower().replace("-", "_"), _BY_NAME, 1, _RESEMBLES)
    return _BY_NAME[near[0]] if near else None


def converted(metric: str, value: float, unit: str | None) -> float | None:
    """Convert `value` to the metric's own unit; None if the unit is not one of the metric's.

    Without a unit the value is taken to be in the metric's own. A metric that has none takes any. The value is taken as
    the decimal number that it is written as, and rounded once; infinite where no float is as large.
    """
    conversions = CONVERSIONS.get(metric)
    if not unit or conversions is None:
        return value
    conversion = conversions.get(unit) or _respelled(metric, unit)
    if conversion is None or conversion is _OWN:
        return None if conversion is None else value
    numerator, denominator = Decimal(repr(value)).as_integer_ratio()
    try:
        return (numerator * conversion.times + denominator * conversion.plus) / (denominator * conversion.over)
    except OverflowError:
        return math.inf


def _respelled(metric: str, unit: str) -> Conversion | None:
    spelled = unit.translate(_RESPELLED)
    if not spelled:
        return _OWN
    known = CONVERSIONS[metric]
    return known.get(spelled) or known.get(UNITS_IN_ANY_CASE[metric].get(spelled.lower(), ""))
