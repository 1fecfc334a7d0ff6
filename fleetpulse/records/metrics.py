"""Metrics: what readings measure, under one name each, whatever the sender calls it."""

import re

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

# Factor and offset from a unit, in lower case, to the metric's own.
_CONVERSIONS: dict[str, dict[str, tuple[float, float]]] = {
    "temperature_c": {
        **dict.fromkeys(("°c", "c", "celsius", "degc"), (1.0, 0.0)),
        **dict.fromkeys(("°f", "f", "fahrenheit", "degf"), (5 / 9, -160 / 9)),
        **dict.fromkeys(("k", "kelvin"), (1.0, -273.15)),
    },
    "humidity": dict.fromkeys(("%", "percent", "%rh"), (1.0, 0.0)),
    "battery": dict.fromkeys(("%", "percent"), (1.0, 0.0)),
    "vibration_mm_s": {"mm/s": (1.0, 0.0), "m/s": (1000.0, 0.0)},
    "energy_kw": {"kw": (1.0, 0.0), "w": (0.001, 0.0), "mw": (1000.0, 0.0)},
    "pressure_hpa": {
        "hpa": (1.0, 0.0),
        "mbar": (1.0, 0.0),
        "kpa": (10.0, 0.0),
        "pa": (0.01, 0.0),
        "bar": (1000.0, 0.0),
    },
}


def is_metric_name(name: object) -> bool:
    """Whether a sender may call a metric so: a letter, then at most 63 letters, digits, `_`, `.` and `-`."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def converted(metric: str, value: float, unit: str | None) -> float | None:
    """`value` in the metric's own unit; None where the unit is not one it can be told in.

    Without a unit the value is taken to be in the metric's own. A metric that has none takes any.
    """
    conversions = _CONVERSIONS.get(metric)
    if unit is None or conversions is None:
        return value
    conversion = conversions.get(unit.strip().lower())
    if conversion is None:
        return None
    factor, offset = conversion
    return value if factor == 1.0 and not offset else value * factor + offset
