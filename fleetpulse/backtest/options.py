"""Options of both commands: the source of history, the rules, and the job's settings."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import Any

from fleetpulse.backtest.run import Settings
from fleetpulse.backtest.sources import kafka, lines, parquet
from fleetpulse.backtest.sources.history import Stream
from fleetpulse.cli.connections import brokers
from fleetpulse.cli.parameters import EXISTING_FILE, EXISTING_FOLDER, Topics, topic
from fleetpulse.cli.settings import FLAG, group, setting, takes
from fleetpulse.cli.tables import echo
from fleetpulse.errors import ConfigurationError
from fleetpulse.kafka.broker import reach
from fleetpulse.rulefiles.files import load
from fleetpulse.rulefiles.topic import read_book
from fleetpulse.rules.versions import Version, Versions
from fleetpulse.topics import EVENTS, RULES
from jobs.wiring.arguments import EventTime, SilenceLimits, inactivity_policy


@dataclass(frozen=True, kw_only=True)
class History:
    """The source of history, the rules, and the settings of the job."""

    bootstrap_servers: str = brokers()
    topics: tuple[str, ...] = setting(
        "topic", Topics(), "Topics to read, separated by ';'.  [default: events]", environment=False
    )
    parquet: Path | None = setting(
        "parquet", EXISTING_FOLDER, "Folder of Parquet files to read instead.", environment=False
    )
    lines: Path | None = setting(
        "json.lines",
        EXISTING_FILE,
        "File of records to read instead, one a line.",
        aliases=("--json-lines",),
        environment=False,
    )
    rules: tuple[Path, ...] = setting(
        "rules",
        EXISTING_FILE,
        "Judge by this rule file; several are one set.  [default: the versions on the rules topic]",
        multiple=True,
        environment=False,
    )
    rules_topic: str = topic("rules", RULES.name, "Topic of the versions of the rules.")
    silence: SilenceLimits = group(SilenceLimits)
    time: EventTime = group(EventTime)
    no_inactivity: bool = setting("no-inactivity", FLAG, "Raise no alerts on silence, as the anomaly job does.")

    @property
    def settings(self) -> Settings:
        """What the job was given that matters for its decisions."""
        time = self.time
        silence = None if self.no_inactivity else inactivity_policy(self.silence, time)
        bounds = (time.out_of_orderness_ms, time.max_future_skew_ms, time.idle_timeout_ms, time.forget_after_ms)
        return Settings(silence, *bounds)


class Source:
    """Where history is."""

    def __init__(
        self, bootstrap_servers: str, topics: tuple[str, ...], parquet: Path | None, lines: Path | None
    ) -> None:
        if sum(map(bool, (topics, parquet, lines))) > 1:
            raise ConfigurationError("--topic, --parquet, --json.lines: only one of them can be read")
        self._named, self._topics = bootstrap_servers, topics
        self._parquet, self._lines = parquet, lines

    @cached_property
    def bootstrap_servers(self) -> str:
        """The brokers; files need none.

        Raises:
            ConfigurationError: nothing names a broker, or none answers.
        """
        return reach(self._named)

    def streams(self, from_ms: int | None) -> list[Stream]:
        """Its records, by Kafka timestamp from an instant on."""
        if self._parquet is not None:
            return parquet.streams(self._parquet, from_ms)
        if self._lines is not None:
            return lines.streams(self._lines, from_ms, lambda text: echo(text, err=True))
        return kafka.streams(self.bootstrap_servers, self._topics or (EVENTS.name,), from_ms)


def of_history(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options, as arguments `source`, `settings` and `versions`: a function, since those may have to be read."""

    @takes(History)
    @wraps(command)  # and with it the options that stand below
    def decorated(history: History, **rest: Any) -> Any:
        source = Source(history.bootstrap_servers, history.topics or (), history.parquet, history.lines)
        versions = lambda: _versions(source, history.rules, history.rules_topic)  # noqa: E731
        return command(source, history.settings, versions, **rest)

    return decorated


def _versions(source: Source, files: tuple[Path, ...], topic: str) -> Versions:
    if files:
        return of_files(*files)
    book = read_book(source.bootstrap_servers, topic)
    for line in book.unreadable:
        echo(line, err=True)
    return book.versions


def of_files(*files: Path) -> Versions:
    """A set from files as a job publishes its first one: version 1, for all of history."""
    return (Version(1, 0, load(files)),)
