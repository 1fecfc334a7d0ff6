"""The figures as text."""

import platform
import re
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import psutil

from bench.measure import Result, spread
from bench.measurements.contenders import Contender

_COLUMNS: tuple[tuple[str, Callable[[Result], float], int], ...] = (
    ("records/s, steady", lambda result: result.steady_per_second, 0),
    ("records/s, from submission", lambda result: result.from_submission_per_second, 0),
    ("CPU s per million", lambda result: result.cpu_seconds_per_million, 1),
    ("peak RSS, MiB", lambda result: result.peak_rss_mib, 0),
)


def publish(text: str, output: Path | None, section: str) -> None:
    """Print the text or, where a file is named, put it between that file's two marks for `section`.

    Raises:
        click.UsageError: the file has no such marks.
    """
    if output is None:
        click.echo(text)
        return
    begin, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
    page = output.read_text(encoding="utf-8")
    if begin not in page or end not in page:
        raise click.UsageError(f"{output} has no section between {begin} and {end}")
    between = re.compile(f"(?<={re.escape(begin)}).*?(?={re.escape(end)})", re.DOTALL)
    output.write_text(between.sub(lambda _: f"\n{text.strip()}\n", page), encoding="utf-8")


def output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that names the page."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.option("--output", type=file, help="Markdown page to update; standard output when none is named.")(
        command
    )


def line(result: Result) -> str:
    """One run in one line."""
    figures = ", ".join(f"{read(result):,.{digits}f} {title}" for title, read, digits in _COLUMNS)
    return f"{figures}, {result.alerts} alerts"


def table(results: Mapping[Contender, Sequence[Result]], records: int) -> str:
    """All runs as a Markdown section: median, and the range where there was more than one run."""
    runs = max(map(len, results.values()))
    titles = ["", *(title for title, _, _ in _COLUMNS)]
    lines = [
        f"{records:,} records of 10,000 devices in 4 partitions; {_runs(runs)}; {machine()}.",
        "",
        f"| {' | '.join(titles)} |",
        f"| --- |{' ---: |' * len(_COLUMNS)}",
    ]
    for contender, measured in results.items():
        cells = [_cell([read(result) for result in measured], digits) for _, read, digits in _COLUMNS]
        given = contender.records(records)
        reduced = f" ({given:,} records)" if given != records else ""
        lines.append(f"| {contender.name}{reduced} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    """What it was measured on."""
    size = f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB"
    return f"{size}, Python {platform.python_version()}, Flink {version('apache-flink')}"


def _runs(runs: int) -> str:
    return "one run" if runs == 1 else f"median and (range) of {runs} runs"


def _cell(values: Sequence[float], digits: int) -> str:
    median, lowest, highest = spread(values)
    if len(values) == 1:
        return f"{median:,.{digits}f}"
    return f"{median:,.{digits}f} ({lowest:,.{digits}f} – {highest:,.{digits}f})"
