"""Arguments that several commands take."""

import re
from collections.abc import Callable
from typing import Any

import click

from fleetpulse.cli.durations import parse_duration_ms, parse_instant_ms


def matching(pattern: str, expected: str) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """A callback that refuses what does not match as a whole, and says that it `expected` something else."""

    def check(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(pattern, value, re.DOTALL):
            raise click.BadParameter(f"{value!r} {expected}")
        return value

    return check


topic_name = matching(r"(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}", "is no topic name: 1-249 letters, digits, dots, - and _")
bootstrap_servers = click.option(
    "--kafka.bootstrap.servers",
    "bootstrap_servers",
    callback=matching(r"[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*", "is not host:port, several separated by commas"),
    default="localhost:9092",
    show_default=True,
    envvar=["KAFKA_BROKERS", "KAFKA_BOOTSTRAP_SERVERS", "FLEETPULSE_KAFKA_BOOTSTRAP_SERVERS"],
    help="Kafka brokers, as host:port, separated by commas.",
)

_registry_url = matching(r"https?://[^\s/]+\S*", "is no URL like http://127.0.0.1:8085/apis/ccompat/v7")
schema_registry = click.option(
    "--schema.registry.url",
    "schema_registry_url",
    callback=_registry_url,
    default="http://127.0.0.1:8085/apis/ccompat/v7",
    show_default=True,
    envvar=["SCHEMA_REGISTRY_URL", "FLEETPULSE_SCHEMA_REGISTRY_URL"],
    show_envvar=True,
    help="Schema registry with Confluent's interface, for values in Avro.",
)
schema_registry_if_any = click.option(
    "--schema.registry.url",
    "schema_registry_url",
    callback=_registry_url,
    envvar=["SCHEMA_REGISTRY_URL", "FLEETPULSE_SCHEMA_REGISTRY_URL"],
    help="Registry of Avro schemas, with Confluent's interface.  [default: none, Avro is rejected]",
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
