"""Durations as people write them: `500ms`, `30s`, `5m`, `1h`, `7d`."""

import re

DAY_MS = 86_400_000
UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": DAY_MS}
_LONGEST_MS = 36_500 * DAY_MS  # far more than any clock, and far less than what arithmetic on times takes
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


class DurationMs(int):
    """Milliseconds that are written with a unit."""

    def __str__(self) -> str:
        """The largest unit that needs no fraction."""
        for unit, unit_ms in reversed(UNITS_MS.items()):
            if self and self % unit_ms == 0:
                return f"{self // unit_ms}{unit}"
        return "0s"


def parse(text: object) -> DurationMs:
    """Read a duration with its unit.

    Raises:
        ValueError: it is no such thing.
    """
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a duration like 500ms, 30s, 5m, 1h or 7d")
    duration_ms = float(match[1]) * UNITS_MS[match[2]]
    if duration_ms > _LONGEST_MS:
        raise ValueError(f"{match[0][:20]!r} is longer than {DurationMs(_LONGEST_MS)}")
    return DurationMs(round(duration_ms))
