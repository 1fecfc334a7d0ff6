"""Options of both commands: the source of history, the rules, and the job's settings."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, NamedTuple

from fleetpulse.backtest.run import Settings
from fleetpulse.backtest.sources import kafka, lines, parquet
from fleetpulse.backtest.sources.history import Stream
from fleetpulse.cli.connections import brokers
from fleetpulse.cli.parameters import EXISTING_FILE, EXISTING_FOLDER, Topics, topic
from fleetpulse.cli.settings import FLAG, group, setting, takes
from fleetpulse.cli.tables import echo
from fleetpulse.errors import ConfigurationError
from fleetpulse.kafka.broker import reach
from fleetpulse.kafka.groups import committed_topics
from fleetpulse.rulefiles.files import load
from fleetpulse.rulefiles.topic import read_book
from fleetpulse.rules.versions import Version, Versions
from fleetpulse.topics import EVENTS, RULES, TELEMETRY
from jobs.wiring.arguments import EventTime, SilenceLimits, inactivity_policy

_WITH_ALERTS = ("monitor", "anomaly", "inactivity")
_USUAL = (EVENTS.name, TELEMETRY.name)


@dataclass(frozen=True, kw_only=True)
class History:
    """The source of history, the rules, and the settings of the job."""

    bootstrap_servers: str = brokers()
    topics: tuple[str, ...] = setting(
        "topic",
        Topics(),
        "Topics to read, separated by ';'.  [default: events; to explain an alert, those that its job reads]",
        environment=False,
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
        "Judge by this rule file; several are one set.  [default: the versions on the rules topic; none with files]",
        multiple=True,
        environment=False,
    )
    rules_topic: str | None = topic("rules", None, f"Topic of the versions of the rules.  [default: {RULES.name}]")
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

    def find_topics(self, alerts_topic: str) -> None:
        """Read the topics of the job that writes to an alerts topic, where no source is named.

        A job that never made a checkpoint is not known: then all usual topics are read.
        """
        if self._topics or self.is_in_files:
            return
        jobs = {f"fleetpulse-{job}-{alerts_topic}" for job in _WITH_ALERTS}
        self._topics = tuple(committed_topics(self.bootstrap_servers, jobs)) or _USUAL

    @property
    def is_in_files(self) -> bool:
        """Whether files are read, and no topic."""
        return bool(self._parquet or self._lines)

    @property
    def place(self) -> str:
        """What is read, in words."""
        return ", ".join(map(str, [file for file in (self._parquet, self._lines) if file] or self._topics))

    def streams(self, from_ms: int | None) -> list[Stream]:
        """Its records, by Kafka timestamp from an instant on."""
        if self._parquet is not None:
            return parquet.streams(self._parquet, from_ms)
        if self._lines is not None:
            return lines.streams(self._lines, from_ms, lambda text: echo(text, err=True))
        return kafka.streams(self.bootstrap_servers, self._topics or (EVENTS.name,), from_ms)


class RuleSource(NamedTuple):
    """Where rules are: in files, else on a topic, which has its usual name where none is given."""

    files: tuple[Path, ...]
    topic: str | None

    @property
    def is_named(self) -> bool:
        """Whether somebody said where."""
        return bool(self.files or self.topic)

    def versions(self, source: Source) -> Versions:
        """Read them; from the brokers of `source` where they are on a topic."""
        if self.files:
            return of_files(*self.files)
        book = read_book(source.bootstrap_servers, self.topic or RULES.name)
        for line in book.unreadable:
            echo(line, err=True)
        return book.versions


def of_history(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options, as arguments `source`, `settings` and `rules`."""

    @takes(History)
    @wraps(command)  # and with it the options that stand below
    def decorated(history: History, **rest: Any) -> Any:
        source = Source(history.bootstrap_servers, history.topics or (), history.parquet, history.lines)
        return command(source, history.settings, RuleSource(history.rules, history.rules_topic), **rest)

    return decorated


def of_files(*files: Path) -> Versions:
    """A set from files as a job publishes its first one: version 1, for all of history."""
    return (Version(1, 0, load(files)),)
