"""Arguments that the jobs share."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from clients.parameters import matching, topic_name

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
