"""The settings of the jobs, each defined once; a job reads them from a typed object."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

from fleetpulse.cli.connections import brokers, schema_registry_if_any
from fleetpulse.cli.parameters import (
    CONTEXT,
    EXISTING_FILE,
    Matching,
    Whole,
    max_future_skew,
    milliseconds,
    topic,
    topics,
)
from fleetpulse.cli.settings import FLAG, group, setting
from fleetpulse.durations import DAY_MS
from fleetpulse.errors import ConfigurationError
from fleetpulse.inactivity.timeouts import InactivityPolicy

__all__ = ["CONTEXT"]  # of every job's command

WINDOWS_MS = {"10s": 10_000, "1m": 60_000, "1h": 3_600_000}
_LONGEST_CHECKPOINT_INTERVAL_MS = 600_000  # transactions live 15 minutes, see TRANSACTION_TIMEOUT_MS


def checkpoint_interval(default_ms: int, high_ms: int, meaning: str) -> int:
    """The field for the time between checkpoints."""
    interval_ms: int = milliseconds("checkpoint.interval", default_ms, 100, high_ms, meaning)
    return interval_ms


@dataclass(frozen=True, kw_only=True)
class Running:
    """How a job runs, whatever it does."""

    checkpoint_dir: str = setting(
        "checkpoint.dir",
        Matching(".*://.*|file:/.*", "is no URI such as file:///var/checkpoints or s3://bucket/checkpoints"),
        "Folder for checkpoints, with one of each job in it: a URI that every Flink process reaches.",
        default=(Path(tempfile.gettempdir()) / "flink-checkpoints").as_uri(),
        show_default="flink-checkpoints in the temporary folder",
    )
    checkpoint_interval_ms: int = checkpoint_interval(
        10_000, _LONGEST_CHECKPOINT_INTERVAL_MS, "Time between checkpoints, and so until results are final."
    )
    parallelism: int = setting("parallelism", Whole(1, 128), "Subtasks of each operator, 1 to 128.", default=2)
    check: bool = setting(
        "check",
        FLAG,
        "Check the arguments; print the job's identity, what it alone may write and its checkpoints' folder.",
    )


@dataclass(frozen=True, kw_only=True)
class Telemetry:
    """The topics of records, and of late and rejected ones."""

    bootstrap_servers: str = brokers()
    topics: tuple[str, ...] = topics(("events",), "Topics to read, separated by ';'.")
    registry_url: str | None = schema_registry_if_any()
    late_topic: str = topic("late", "telemetry.late", "Topic for late records.")
    dlq_topic: str = topic("dlq", "telemetry.dlq", "Topic for rejected records.", variables=("DLQ_TOPIC",))
    ticks_topic: str | None = topic(
        "ticks", None, "Topic of this job's own clock.  [default: fleetpulse.ticks. and the job's name]"
    )


@dataclass(frozen=True, kw_only=True)
class Alerts:
    """The topic of alerts."""

    topic: str = topic("alerts", "alerts", "Topic for alerts.")


@dataclass(frozen=True, kw_only=True)
class SilenceLimits:
    """When a device counts as silent; what a backtest needs to know of it."""

    timeout_ms: int = milliseconds(
        "timeout", 60_000, 1, 7 * DAY_MS, "How long a device may be silent; exactly this long is active."
    )
    evaluation_period_ms: int = milliseconds(
        "evaluation.period", 30_000, 1000, DAY_MS, "How often silence is evaluated, at multiples of it since the epoch."
    )
    max_clock_offset_ms: int = milliseconds(
        "max.clock.offset", 300_000, 1000, DAY_MS, "How far a device's clock may be off before that is an alert."
    )


@dataclass(frozen=True, kw_only=True)
class Silence(SilenceLimits):
    """When a device counts as silent, and how that is written."""

    alerts_mode: str = setting(
        "alerts.mode",
        click.Choice(["lifecycle", "every-evaluation"]),
        "every-evaluation also writes each silent device at each evaluation to --plain.topic.",
        default="lifecycle",
    )
    plain_topic: str = topic("plain", "alerts.plain", "Topic for --alerts.mode every-evaluation.")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules to apply."""

    file: Path | None = setting(
        "rules",
        EXISTING_FILE,
        "File with the rules; if it has changed since it was last submitted, it becomes a version on the rules topic.  "
        "[default: the versions on the rules topic]",
    )
    only: bool = setting("rules.only", FLAG, "Publish --rules if it has changed, for a job that runs; submit nothing.")
    topic: str = topic("rules", "rules", "Topic of the versions of the rules.")


@dataclass(frozen=True, kw_only=True)
class Windows:
    """The windows to make."""

    width: str = setting("window", click.Choice(list(WINDOWS_MS)), "Width of the tumbling windows.", default="1m")
    given_topic: str | None = topic(
        "aggregates", None, "Topic for aggregates.  [default: telemetry.agg. and the width]"
    )

    @property
    def topic(self) -> str:
        """The topic of aggregates; by default named after the width of windows."""
        return self.given_topic or f"telemetry.agg.{self.width}"


@dataclass(frozen=True, kw_only=True)
class EventTime:
    """How event time goes on; what a backtest needs to know of it."""

    forget_after_ms: int = milliseconds(
        "forget.after",
        7 * DAY_MS,
        60_000,
        365 * DAY_MS,
        "When a silent device is forgotten, with a revision `expired`.",
    )
    out_of_orderness_ms: int = milliseconds(
        "out.of.orderness", 2_000, 0, DAY_MS, "How far records may be out of order; a record beyond it is late."
    )
    max_future_skew_ms: int = max_future_skew()
    idle_timeout_ms: int = milliseconds(
        "idle.timeout", 30_000, 1000, DAY_MS, "How long a partition without records holds the watermark."
    )


@dataclass(frozen=True, kw_only=True)
class Time(EventTime):
    """How time goes on in a job."""

    reconnect_grace_ms: int = milliseconds(
        "reconnect.grace", 30_000, 0, DAY_MS, "How long decisions wait after the job or the broker was away."
    )
    discovery_interval_ms: int = milliseconds(
        "partition.discovery.interval",
        10_000,
        1000,
        DAY_MS,
        "How often new partitions are looked for, at most; at least four times in the shortest timeout.",
    )
    source: str = setting(
        "time.source",
        click.Choice(["field", "record"]),
        "What moves the watermark: the time in the value, or the Kafka timestamp alone (fastest).",
        default="field",
    )


@dataclass(frozen=True, kw_only=True)
class Deciding(Running):
    """How a deciding job runs."""

    shards: int = setting("shards", Whole(1, 128), "Groups of devices; fixed by the first checkpoint.", default=16)
    batch_size: int = setting(
        "batch.size", Whole(1, 1_000_000), "Records that cross to Python at once, at most.", default=50_000
    )
    delivery: str = setting(
        "delivery",
        click.Choice(["exactly-once", "at-least-once"]),
        "at-least-once shows records before the checkpoint that makes them final.",
        default="exactly-once",
    )
    on_data_loss: str = setting(
        "on.data.loss",
        click.Choice(["continue", "stop"]),
        "What to do when records were deleted before they were read: count them and go on, or fail.",
        default="continue",
    )
    bounded: bool = setting("bounded", FLAG, "Read up to the present end of the topics, decide, and end.")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a deciding job. A group is None in a job that does not have it."""

    telemetry: Telemetry = group(Telemetry)
    alerts: Alerts | None = group(Alerts)
    silence: Silence | None = group(Silence)
    rules: Rules | None = group(Rules)
    windows: Windows | None = group(Windows)
    time: Time = group(Time)
    running: Deciding = group(Deciding)


def inactivity_policy(silence: SilenceLimits, time: EventTime, every_evaluation: bool = False) -> InactivityPolicy:
    """When silence is an alert.

    Raises:
        ConfigurationError: what each setting allows for itself does not go together.
    """
    if time.forget_after_ms <= silence.timeout_ms:
        raise ConfigurationError(
            f"--forget.after.ms: {time.forget_after_ms} must be more than --timeout.ms {silence.timeout_ms}"
        )
    if silence.max_clock_offset_ms < time.max_future_skew_ms:
        raise ConfigurationError(
            f"--max.clock.offset.ms: {silence.max_clock_offset_ms} must not be less than "
            f"--max.future.skew.ms {time.max_future_skew_ms}"
        )
    durations = (silence.timeout_ms, silence.evaluation_period_ms, time.forget_after_ms)
    return InactivityPolicy(*durations, every_evaluation, silence.max_clock_offset_ms)


def interval(duration_ms: int) -> str:
    """A duration as SQL's `INTERVAL … DAY TO SECOND(3)` wants it."""
    seconds, ms = divmod(duration_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days} {hours:02d}:{minutes:02d}:{seconds:02d}.{ms:03d}"
