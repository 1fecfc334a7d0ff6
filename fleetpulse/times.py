"""Event time: what a record may say, and what it means. Inside, time is integer epoch milliseconds, UTC."""

import re
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal

from fleetpulse.durations import DAY_MS

_MS = Decimal("0.001")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a time without an offset is UTC
# The accepted forms, extended and basic. `fromisoformat` checks the calendar, and alone would take far more: a fraction
# of a minute for one of a second, offsets of 70 minutes, week dates.
_ISO_FORM = re.compile(
    r"(?:\d\d\d\d-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?|\d{8}T\d{4}(?:\d\d(?:[.,]\d+)?)?)"
    r"(?:Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?",
    re.ASCII,
).fullmatch
_moment_of = datetime.fromisoformat
DEFAULT_FUTURE_SKEW_MS = 60_000  # how far a time may be ahead of its record's Kafka timestamp
LAST_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z, the last instant that ISO 8601, SQL and Python all can write
_NUMBER_LIMIT = 10**30  # far beyond any nanosecond clock; keeps a number of a million digits from costing anything

Time = int | str | Decimal


def to_epoch_ms(value: Time) -> int:
    """Read a record's time, cut to milliseconds.

    The unit of a number follows from its magnitude: below 1e11 seconds, below 1e14 milliseconds, below 1e17
    microseconds, else nanoseconds. A string is ISO 8601 with date and time, in one of the forms of docs/contracts.md;
    without an offset it is UTC.

    Raises:
        ValueError: zero, negative, not finite or unreadable.
    """
    epoch_ms = _from_iso(value) if isinstance(value, str) else _from_number(value)
    if epoch_ms <= 0:
        raise ValueError("time is not after 1970-01-01T00:00:00Z")
    return epoch_ms


def _from_number(number: int | Decimal) -> int:
    if (isinstance(number, Decimal) and number.is_nan()) or not 0 < number < _NUMBER_LIMIT:
        raise ValueError("time is out of range")
    if number < 10**11:
        # Cut before anything rounds: a Decimal's arithmetic keeps 28 digits.
        return int(Decimal(number).quantize(_MS, ROUND_DOWN).scaleb(3))
    if number < 10**14:
        return int(number)
    return int(number) // (1000 if number < 10**17 else 1_000_000)


def _from_iso(text: str) -> int:
    if _ISO_FORM(text) is None:
        raise ValueError("time is neither a number nor ISO 8601 in an accepted form")
    moment = _moment_of(text)
    since = moment - (_NAIVE_EPOCH if moment.tzinfo is None else _EPOCH)
    return since.days * DAY_MS + since.seconds * 1000 + since.microseconds // 1000


def iso(epoch_ms: int) -> str:
    """ISO 8601 UTC with milliseconds, as in `2026-01-01T00:00:00.250Z`."""
    moment = datetime.fromtimestamp(epoch_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{epoch_ms % 1000:03d}Z"


def first_multiple_after(epoch_ms: int, period_ms: int) -> int:
    """The first multiple of `period_ms` that is later than `epoch_ms`."""
    return (epoch_ms // period_ms + 1) * period_ms
