"""What both commands take: where history is, by which rules it is judged, and what the job was told."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from fleetpulse import topics
from fleetpulse.backtest.run import Settings
from fleetpulse.backtest.sources import kafka, lines, parquet
from fleetpulse.backtest.sources.history import Stream
from fleetpulse.cli.parameters import bootstrap_servers, topic_name
from fleetpulse.durations import DAY_MS
from fleetpulse.errors import ConfigurationError
from fleetpulse.inactivity.timeouts import InactivityPolicy
from fleetpulse.rulefiles.files import load
from fleetpulse.rulefiles.topic import read_book
from fleetpulse.rules.versions import Version, Versions
from jobs.wiring.arguments import milliseconds


class Source:
    """Where history is."""

    def __init__(self, bootstrap_servers: str, topics: tuple[str, ...], parquet: Path | None, lines: Path | None):
        if sum(map(bool, (topics, parquet, lines))) > 1:
            raise ConfigurationError("--topic, --parquet, --json-lines: only one of them can be read")
        self.bootstrap_servers, self._topics = bootstrap_servers, topics
        self._parquet, self._lines = parquet, lines

    def streams(self, from_ms: int | None) -> list[Stream]:
        """Its records, by Kafka timestamp from an instant on."""
        if self._parquet is not None:
            return parquet.streams(self._parquet, from_ms)
        if self._lines is not None:
            return lines.streams(self._lines, from_ms)
        return kafka.streams(self.bootstrap_servers, self._topics or (topics.EVENTS.name,), from_ms)


def _names(context: click.Context, option: click.Parameter, value: str | None) -> tuple[str, ...]:
    names = [part.strip() for part in value.split(";")] if value else []
    if len(set(names)) < len(names):
        raise click.BadParameter(f"{value!r} names a topic twice")
    return tuple(str(topic_name(context, option, name)) for name in names)


_OPTIONS = (
    bootstrap_servers,
    click.option("--topic", "topics", callback=_names, help="Topics to read, separated by ';'.  [default: events]"),
    click.option(
        "--parquet",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Folder of Parquet files to read instead.",
    ),
    click.option(
        "--json-lines",
        "lines",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="File of records to read instead, one a line.",
    ),
    click.option(
        "--rules",
        multiple=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Judge by this rule file; several are one set.  [default: the versions on the rules topic]",
    ),
    click.option(
        "--rules.topic",
        "rules_topic",
        callback=topic_name,
        default=topics.RULES.name,
        show_default=True,
        help="Topic of the versions of the rules.",
    ),
    milliseconds("timeout", 60_000, 1, 7 * DAY_MS, "How long a device may be silent"),
    milliseconds("evaluation.period", 30_000, 1000, DAY_MS, "How often silence is evaluated"),
    milliseconds("out.of.orderness", 2_000, 0, DAY_MS, "How far records may be out of order"),
    milliseconds("max.future.skew", 60_000, 0, DAY_MS, "How far a time may be ahead of the Kafka timestamp"),
    click.option("--no-inactivity", is_flag=True, help="Miss nobody, as the anomaly job does."),
)


def of_history(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options, as arguments `source`, `settings` and `versions`: a function, since those may have to be read."""

    @wraps(command)  # and with it the options that stand below
    def decorated(
        bootstrap_servers: str,
        topics: tuple[str, ...],
        parquet: Path | None,
        lines: Path | None,
        rules: tuple[Path, ...],
        rules_topic: str,
        timeout_ms: int,
        evaluation_period_ms: int,
        out_of_orderness_ms: int,
        max_future_skew_ms: int,
        no_inactivity: bool,
        **rest: Any,
    ) -> Any:
        source = Source(bootstrap_servers, topics, parquet, lines)
        silence = None if no_inactivity else InactivityPolicy(timeout_ms, evaluation_period_ms)
        settings = Settings(silence, out_of_orderness_ms, max_future_skew_ms)
        return command(source, settings, lambda: _versions(source, rules, rules_topic), **rest)

    decorated_: Callable[..., Any] = decorated
    for option in reversed(_OPTIONS):
        decorated_ = option(decorated_)
    return decorated_


def _versions(source: Source, files: tuple[Path, ...], topic: str) -> Versions:
    if files:
        return of_files(*files)
    book = read_book(source.bootstrap_servers, topic)
    for line in book.unreadable:
        click.echo(line, err=True)
    return book.versions


def of_files(*files: Path) -> Versions:
    """A set from files as a job publishes its first one: version 1, for all that ever happened."""
    return (Version(1, 0, load(files)),)
