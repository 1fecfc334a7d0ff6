"""Types of settings, and the settings that several commands take.

Each type reads one form of text for all commands: a duration, an instant, a topic, an address. What it refuses it
names, with what is expected.
"""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from fleetpulse.cli.durations import LONGEST_MS, parse_duration_ms, parse_instant_ms
from fleetpulse.cli.settings import option, setting
from fleetpulse.durations import DAY_MS, DurationMs
from fleetpulse.times import DEFAULT_FUTURE_SKEW_MS

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 120, "show_default": True}
LAST_PORT = 65535
INSTANT_FORMS = "ISO 8601, or s, ms, us or ns since the epoch"
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
EXISTING_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


class Matching(click.ParamType[str]):
    """Text that matches a pattern as a whole."""

    name = "text"

    def __init__(self, pattern: str, expected: str) -> None:
        self._pattern, self._expected = re.compile(pattern, re.DOTALL), expected

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text as it is."""
        if not self._pattern.fullmatch(str(value)):
            self.fail(f"{value!r} {self._expected}", param, ctx)
        return str(value)


class Duration(click.ParamType[float]):
    """A duration in milliseconds: a number of the unit that the option's name ends with, or with a unit of its own.

    Args:
        unit: of a bare number, `ms` or `s`.
        low: the shortest that is accepted, in milliseconds.
        high: the longest, likewise.
        whole: whether it must be a whole number of milliseconds, and then is an `int`.
    """

    name = "duration"

    def __init__(self, unit: str = "ms", low: float = 0, high: int = LONGEST_MS, whole: bool = True) -> None:
        self.unit, self.low, self.high, self.whole = unit, low, high, whole

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read what was given."""
        try:
            duration_ms = value if isinstance(value, int | float) else parse_duration_ms(str(value), self.unit)
        except ValueError as bad:
            self.fail(str(bad), param, ctx)
        if not self.low <= duration_ms <= self.high:
            self.fail(f"{value!r} is not in the range {self.range}", param, ctx)
        if self.whole and duration_ms != int(duration_ms):
            self.fail(f"{value!r} is not a whole number of milliseconds", param, ctx)
        return int(duration_ms) if duration_ms == int(duration_ms) else duration_ms

    @property
    def range(self) -> str:
        """The shortest and the longest, as people write them."""
        low = self.shown(self.low) if self.low == int(self.low) else "more than 0s"
        return f"{low} to {self.shown(self.high)}"

    def shown(self, duration_ms: float) -> str:
        """A duration as people write it."""
        return str(DurationMs(duration_ms)) if duration_ms == int(duration_ms) else f"{duration_ms:g}ms"


class Instant(click.ParamType[int]):
    """An instant as epoch milliseconds, given as ISO 8601 or as a number since the epoch."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read what was given."""
        try:
            return value if isinstance(value, int) else parse_instant_ms(value)
        except ValueError as bad:
            self.fail(str(bad), param, ctx)


class Number(click.FloatRange):
    """A finite number in a range: click's own takes `nan` and, without an upper limit, `inf`."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read what was given."""
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or not _is_within(self, number):
            self.fail(f"{value!r}: expected a number{_bounds(self)}", param, ctx)
        return number


class Whole(click.IntRange):
    """A whole number in a range: click's own names the range, or that it is no number, but never both."""

    name = "whole number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read what was given."""
        try:
            number = int(value)
        except ValueError:
            number = None
        if number is None or not _is_within(self, number):
            self.fail(f"{value!r}: expected a whole number{_bounds(self)}", param, ctx)
        return number


def _is_within(kind: click.IntRange | click.FloatRange, number: float) -> bool:
    above = kind.min is None or (number > kind.min if kind.min_open else number >= kind.min)
    return above and (kind.max is None or number <= kind.max)


def _bounds(kind: click.IntRange | click.FloatRange) -> str:
    """The range of numbers in words."""
    low = "" if kind.min is None else f" {'above' if kind.min_open else 'from'} {kind.min:,.10g}"
    return low if kind.max is None else f"{low} to {kind.max:,.10g}"


class Topics(click.ParamType[tuple[str, ...]]):
    """Different topics, separated by `;` or `,`."""

    name = "topics"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Read what was given."""
        if isinstance(value, tuple):
            return value
        names = separated(value)
        if not all(names) or len(set(names)) < len(names):
            self.fail(f"{value!r} is not a list of different topics separated by ';' or ','", param, ctx)
        return tuple(TOPIC.convert(name, param, ctx) for name in names)

    def shown(self, names: tuple[str, ...]) -> str:
        """Topics as people write them."""
        return ";".join(names)


class Servers(click.ParamType[str]):
    """Addresses as `host:port`, separated by `,` or `;`; several or exactly one."""

    name = "addresses"

    def __init__(self, several: bool = True) -> None:
        self._several = several
        self.name = "addresses" if several else "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return them separated by commas."""
        addresses = separated(value) if self._several else [str(value)]
        for address in addresses:
            found = re.fullmatch(r"[^\s,;:/]+:(\d{1,10})", address, re.ASCII)
            if found is None:
                expected = "host:port, several separated by commas" if self._several else "host:port"
                self.fail(f"{value!r} is not {expected}", param, ctx)
            if not 1 <= int(found[1]) <= LAST_PORT:
                self.fail(f"{address!r} has the port {found[1]}: expected 1 to {LAST_PORT}", param, ctx)
        return ",".join(addresses)


class Url(Matching):
    """An HTTP address whose port, if it has one, is a port."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the address as it is."""
        url = super().convert(value, param, ctx)
        if not has_usable_port(url):
            self.fail(f"{value!r} has an unusable port: expected 1 to {LAST_PORT}", param, ctx)
        return url


def separated(text: str) -> list[str]:
    """The parts of a list that is separated by `;` or `,`, without blanks around them."""
    return [part.strip() for part in re.split("[;,]", text)]


def has_usable_port(url: str) -> bool:
    """Whether an address has no port, or one from 1 to 65535."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


TOPIC = Matching(r"(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}", "is no topic name: 1-249 letters, digits, dots, - and _")
SHARE = Number(0, 1)
COUNT = Whole(0)


def topic(name: str, default: str | None, meaning: str, **settings: Any) -> Any:
    """A topic, as a field of settings: `--<name>.topic`."""
    return setting(f"{name}.topic", TOPIC, meaning, default=default, **settings)


def topics(default: tuple[str, ...], meaning: str) -> Any:
    """The topics that are read, as a field of settings: `--events.topic`."""
    return setting("events.topic", Topics(), meaning, default=default, variables=("TELEMETRY_TOPIC",))


def milliseconds(name: str, default: int, low: int, high: int, meaning: str) -> Any:
    """A duration, as a field of settings: `--<name>.ms`."""
    return setting(f"{name}.ms", Duration("ms", low, high), meaning, default=default)


def max_future_skew() -> Any:
    """How far times may be in the future, as a field of settings."""
    help_ = "How far a time may be ahead of the record's Kafka timestamp."
    return milliseconds("max.future.skew", DEFAULT_FUTURE_SKEW_MS, 0, DAY_MS, help_)


def topic_option(name: str, default: str | None, meaning: str, **settings: Any) -> Callable[..., Any]:
    """A topic, as an option of a command: `--<name>`."""
    return option(name, TOPIC, meaning, default=default, **settings)
