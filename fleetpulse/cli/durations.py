"""Durations and instants as people write them."""

import re
from decimal import Decimal

from fleetpulse.durations import UNITS_MS, DurationMs
from fleetpulse.times import LAST_MS, to_epoch_ms

LONGEST_MS = 36_500 * UNITS_MS["d"]  # a hundred years
_DURATION = re.compile(r"(\d{1,20}(?:\.\d{1,20})?)(ms|s|m|h|d)?", re.ASCII)
_NUMBER = re.compile(r"\d{1,30}(\.\d{1,30})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def parse_duration_ms(text: str, unit: str) -> float:
    """Read a duration such as `10`, `2s`, `1.5m` or `100ms`, in milliseconds. A bare number counts in `unit`.

    Raises:
        ValueError: it is no such thing, or longer than a hundred years.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration like 500ms, 2s, 10m, 1h, 7d or a number of {unit}")
    duration_ms = float(match[1]) * UNITS_MS[match[2] or unit]
    if duration_ms > LONGEST_MS:
        raise ValueError(f"{text.strip()!r} is longer than {DurationMs(LONGEST_MS)}")
    return duration_ms


def parse_instant_ms(text: str) -> int:
    """Read an instant as epoch milliseconds.

    It is what a record's time may be: ISO 8601 (without an offset: UTC), or a number since the epoch whose unit follows
    from its magnitude, as `to_epoch_ms` has it. A date alone is its midnight, UTC.

    Raises:
        ValueError: it is no such thing, not after 1970, or after 9999.
    """
    given = text.strip()
    try:
        if _NUMBER.fullmatch(given):
            instant_ms = to_epoch_ms(Decimal(given))
        else:
            instant_ms = to_epoch_ms(f"{given}T00:00:00" if _DAY.fullmatch(given) else given)
    except (ValueError, ArithmeticError):
        raise ValueError(
            f"{text!r} is neither ISO 8601 like 2026-01-01T00:00:00Z nor a number of s, ms, us or ns since the epoch, "
            "from 1970 to 9999"
        ) from None
    if instant_ms > LAST_MS:
        raise ValueError(f"{text!r} is after the year 9999")
    return instant_ms
