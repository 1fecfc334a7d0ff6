"""The figures as text."""

import platform
import re
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import click
import psutil

from bench.measure import Result, spread
from bench.measurements.contenders import Contender
from fleetpulse.cli.files import read_text
from fleetpulse.cli.folder import DEFAULT_DIR
from fleetpulse.cli.parameters import Whole
from fleetpulse.cli.settings import Decorator, option
from fleetpulse.errors import ConfigurationError

_COLUMNS: tuple[tuple[str, Callable[[Result], float], int], ...] = (
    ("records/s, steady", lambda result: result.steady_per_second, 0),
    ("records/s, from submission", lambda result: result.from_submission_per_second, 0),
    ("CPU s per million", lambda result: result.cpu_seconds_per_million, 1),
    ("peak RSS, MiB", lambda result: result.peak_rss_mib, 0),
)


def publish(text: str, output: Path | None, section: str) -> None:
    """Print the text or, where a file is named, put it between that file's two marks for `section`.

    Raises:
        ConfigurationError: the file has no such marks.
    """
    if output is None:
        click.echo(text)
        return
    begin, end = _marks(section)
    page = _page(output, section)
    between = re.compile(f"(?<={re.escape(begin)}).*?(?={re.escape(end)})", re.DOTALL)
    output.write_text(between.sub(lambda _: f"\n{text.strip()}\n", page), encoding="utf-8")


def prepare(output: Path | None, *sections: str) -> None:
    """Make sure, before anything is measured, that the figures can be written; a file that is not there is made.

    Raises:
        ConfigurationError: it cannot be written, or has no marks for a section.
    """
    if output is None:
        return
    try:
        if not output.exists():
            output.write_text("".join(f"{begin}\n{end}\n" for begin, end in map(_marks, sections)), encoding="utf-8")
        with output.open("a", encoding="utf-8"):
            pass
    except OSError as failed:
        raise ConfigurationError(f"--output: {output} cannot be written: {failed.strerror}") from None
    for section in sections:
        _page(output, section)


def _page(output: Path, section: str) -> str:
    page = read_text(output, "--output")
    begin, end = _marks(section)
    if not 0 <= page.find(begin) < page.find(end):
        raise ConfigurationError(f"--output: {output} has no section between {begin} and {end}")
    return page


def _marks(section: str) -> tuple[str, str]:
    return f"<!-- {section} -->", f"<!-- end of {section} -->"


output_option = option(
    "output",
    click.Path(dir_okay=False, path_type=Path),
    "Markdown page to update, made where missing; standard output when none is named.",
    environment=False,
)
folder_option = option(
    "dir", click.Path(file_okay=False), "Folder of the running stack.", default=DEFAULT_DIR, parameter="folder"
)


def count_option(name: str, lowest: int, default: int, meaning: str) -> Decorator:
    """An option for how many."""
    return option(name, Whole(lowest), meaning, default=default, environment=False)


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
