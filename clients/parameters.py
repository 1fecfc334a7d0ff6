"""Arguments that several commands take."""

import re
from typing import Any

import click

from clients.durations import parse_duration_ms, parse_instant_ms

_ADDRESSES = re.compile(r"[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*")
_TOPIC = re.compile(r"(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}")


def addresses(_context: click.Context, _option: click.Parameter, value: str) -> str:
    """Refuse what is no list of brokers."""
    if not _ADDRESSES.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not host:port, several separated by commas")
    return value


def topic_name(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Refuse what Kafka takes for no topic."""
    if value is not None and not _TOPIC.fullmatch(value):
        raise click.BadParameter(f"{value!r} is no topic name: 1-249 letters, digits, dots, - and _")
    return value


bootstrap_servers = click.option(
    "--kafka.bootstrap.servers",
    "bootstrap_servers",
    callback=addresses,
    default="localhost:9092",
    show_default=True,
    envvar=["KAFKA_BROKERS", "KAFKA_BOOTSTRAP_SERVERS", "FLEETPULSE_KAFKA_BOOTSTRAP_SERVERS"],
    help="Kafka brokers, as host:port, separated by commas.",
)


class Duration(click.ParamType[float]):
    """A duration in milliseconds: a number of `unit`, or with a unit of its own."""

    name = "duration"

    def __init__(self, unit: str, positive: bool = False) -> None:
        self._unit, self._positive = unit, positive

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read what was given."""
        try:
            duration_ms = parse_duration_ms(str(value), self._unit)
        except ValueError as bad:
            self.fail(str(bad), param, ctx)
        if self._positive and not duration_ms:
            self.fail("must be more than 0", param, ctx)
        return duration_ms


class Instant(click.ParamType[int]):
    """An instant in epoch milliseconds, given so or as ISO 8601."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read what was given."""
        try:
            return value if isinstance(value, int) else parse_instant_ms(value)
        except ValueError as bad:
            self.fail(str(bad), param, ctx)
