"""Arguments that the jobs share."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from fleetpulse.cli.parameters import bootstrap_servers, matching, schema_registry_if_any, topic_name
from fleetpulse.durations import DAY_MS

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 120, "show_default": True}

checkpoint_dir = click.option(
    "--checkpoint.dir",
    "checkpoint_dir",
    callback=matching(".*://.*|file:/.*", "is no URI such as file:///var/checkpoints or s3://bucket/checkpoints"),
    default=(Path(tempfile.gettempdir()) / "flink-checkpoints").as_uri(),
    help="Folder for checkpoints: a URI that every Flink process reaches.",
)
parallelism = click.option(
    "--parallelism", type=click.IntRange(1, 128), default=2, help="Subtasks of each operator, 1 to 128."
)
check = click.option("--check", is_flag=True, help="Check the arguments and submit nothing.")


def milliseconds(name: str, default: int, low: int, high: int, meaning: str) -> Callable[..., Any]:
    """An option for a duration in milliseconds, named `--<name>.ms`."""
    return click.option(
        f"--{name}.ms",
        name.replace(".", "_").replace("-", "_") + "_ms",
        type=click.IntRange(low, high),
        default=default,
        help=f"{meaning}, in ms.",
    )


def topic_names(context: click.Context, option: click.Parameter, value: str) -> tuple[str, ...]:
    """A callback for a list of different topics, separated by `;`."""
    names = tuple(part.strip() for part in value.split(";"))
    if not all(names) or len(set(names)) < len(names):
        raise click.BadParameter(f"{value!r} is not a list of different topics separated by ';'")
    return tuple(str(topic_name(context, option, name)) for name in names)


def interval(duration_ms: int) -> str:
    """A duration as SQL's `INTERVAL … DAY TO SECOND(3)` wants it."""
    seconds, ms = divmod(duration_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days} {hours:02d}:{minutes:02d}:{seconds:02d}.{ms:03d}"


WINDOWS_MS = {"10s": 10_000, "1m": 60_000, "1h": 3_600_000}


def aggregates_topic(given: Mapping[str, Any]) -> str | None:
    """The topic of aggregates, which unless it is given is named by their windows; None for a job that makes none."""
    if "window" not in given:
        return None
    return str(given["aggregates_topic"] or f"telemetry.agg.{given['window']}")


def _topic(name: str, default: str | None, meaning: str, **settings: Any) -> Callable[..., Any]:
    parameter = f"{name.replace('.', '_')}_topic"
    return click.option(f"--{name}.topic", parameter, callback=topic_name, default=default, help=meaning, **settings)


_SOURCE = (
    bootstrap_servers,
    click.option(
        "--events.topic",
        "events_topics",
        default="events",
        envvar=["TELEMETRY_TOPIC", "FLEETPULSE_EVENTS_TOPIC"],
        callback=topic_names,
        help="Topics to read, separated by ';'.",
    ),
    schema_registry_if_any,
    _topic("late", "telemetry.late", "Topic for late records."),
    _topic("dlq", "telemetry.dlq", "Topic for rejected records.", envvar="DLQ_TOPIC"),
)
_ALERTS = (_topic("alerts", "alerts", "Topic for alerts."),)
_SILENCE = (
    click.option(
        "--alerts.mode",
        "alerts_mode",
        type=click.Choice(["lifecycle", "every-evaluation"]),
        default="lifecycle",
        help="every-evaluation also writes each silent device at each evaluation to --plain.topic.",
    ),
    _topic("plain", "alerts.plain", "Topic for --alerts.mode every-evaluation."),
    milliseconds("timeout", 60_000, 1, 7 * DAY_MS, "How long a device may be silent"),
    milliseconds("evaluation.period", 30_000, 1000, DAY_MS, "How often silence is evaluated"),
)
_RULES = (
    click.option(
        "--rules",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="File with the first rules, for a rules topic that is empty.  [default: no rules]",
    ),
    _topic("rules", "rules", "Topic of the versions of the rules."),
)
_WINDOWS = (
    click.option("--window", type=click.Choice(list(WINDOWS_MS)), default="1m", help="Width of the tumbling windows."),
    click.option(
        "--aggregates.topic",
        "aggregates_topic",
        callback=topic_name,
        help="Topic for aggregates.  [default: telemetry.agg. and the width]",
    ),
)
_TIME = (
    milliseconds("forget.after", 7 * DAY_MS, 60_000, 365 * DAY_MS, "When a silent device is forgotten"),
    milliseconds("out.of.orderness", 2_000, 0, DAY_MS, "How far records may be out of order"),
    milliseconds("max.future.skew", 60_000, 0, DAY_MS, "How far a time may be ahead of the Kafka timestamp"),
    milliseconds("idle.timeout", 30_000, 1000, DAY_MS, "When a partition without records stops holding time"),
    milliseconds("reconnect.grace", 30_000, 0, DAY_MS, "How long decisions wait after an outage of ours"),
    click.option(
        "--time.source",
        "time_source",
        type=click.Choice(["field", "record"]),
        default="field",
        help="What moves the watermark: the time in the value, or the Kafka timestamp alone (fastest).",
    ),
)
_RUNNING = (
    click.option(
        "--shards", type=click.IntRange(1, 128), default=16, help="Groups of devices; fixed by the first checkpoint."
    ),
    click.option(
        "--batch.size",
        "batch_size",
        type=click.IntRange(1, 1_000_000),
        default=50_000,
        help="Records that cross to Python at once.",
    ),
    click.option(
        "--delivery",
        type=click.Choice(["exactly-once", "at-least-once"]),
        default="exactly-once",
        help="at-least-once shows records before the checkpoint that makes them final.",
    ),
    checkpoint_dir,
    milliseconds("checkpoint.interval", 10_000, 100, 600_000, "Time between checkpoints"),
    parallelism,
    click.option("--bounded", is_flag=True, help="Read up to the present end of the topics, decide, and end."),
    check,
)


def of_deciding_job(
    name: str, inactivity: bool = False, anomalies: bool = False, windows: bool = False
) -> Callable[..., Any]:
    """All arguments of a job that decides these things."""
    options = [
        *_SOURCE,
        *(_ALERTS if inactivity or anomalies else ()),
        _topic("ticks", f"fleetpulse.ticks.{name}", "Topic of this job's own clock."),
        *(_SILENCE if inactivity else ()),
        *(_RULES if inactivity or anomalies else ()),
        *(_WINDOWS if windows else ()),
        *_TIME,
        *_RUNNING,
    ]

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
