"""Arguments that several commands take."""

from typing import Any

import click

from clients.durations import parse_duration_ms, parse_instant_ms

bootstrap_servers = click.option(
    "--kafka.bootstrap.servers",
    "bootstrap_servers",
    default="localhost:9092",
    show_default=True,
    envvar=["KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BROKERS", "FLEETPULSE_KAFKA_BOOTSTRAP_SERVERS"],
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
