"""Durations and instants as people write them."""

import re
from datetime import UTC, datetime

from fleetpulse.durations import UNITS_MS
from fleetpulse.times import LAST_MS

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")


def parse_duration_ms(text: str, unit: str) -> float:
    """Read a duration such as `10`, `2s`, `1.5m` or `100ms`, in milliseconds. A bare number counts in `unit`.

    Raises:
        ValueError: it is no such thing.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration like 500ms, 2s, 10m, 1h or a number of {unit}")
    return float(match[1]) * UNITS_MS[match[2] or unit]


def parse_instant_ms(text: str) -> int:
    """Read an instant, epoch milliseconds or ISO 8601 (without an offset: UTC), as epoch milliseconds.

    Raises:
        ValueError: it is no such thing, not after 1970, or after 9999.
    """
    try:
        instant_ms = int(text) if text.strip().isdigit() else _from_iso(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither epoch milliseconds nor ISO 8601 like 2026-01-01T00:00:00Z") from None
    if instant_ms <= 0:
        raise ValueError(f"{text!r} is not after 1970-01-01T00:00:00Z")
    if instant_ms > LAST_MS:
        raise ValueError(f"{text!r} is after the year 9999")
    return instant_ms


def _from_iso(text: str) -> int:
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    return int(moment.timestamp() * 1000)
