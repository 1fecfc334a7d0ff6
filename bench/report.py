"""The figures as text."""

import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version

import psutil

from bench.contenders import Contender
from bench.measure import Result, spread

_COLUMNS: tuple[tuple[str, Callable[[Result], float], int], ...] = (
    ("records/s, steady", lambda result: result.steady_per_second, 0),
    ("records/s, from submission", lambda result: result.from_submission_per_second, 0),
    ("CPU s per million", lambda result: result.cpu_seconds_per_million, 1),
    ("peak RSS, MiB", lambda result: result.peak_rss_mib, 0),
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
