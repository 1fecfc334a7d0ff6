"""What panels and people ask of a full database, each several times: `python -m bench queries`."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import click
import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from bench import report
from bench.filled import UNTIL, Contents, fill
from fleetpulse.cli.database import Database, libpq
from fleetpulse.cli.settings import option
from fleetpulse.dashboards.__main__ import FOLDER as DASHBOARDS
from fleetpulse.dashboards.render import SQL, View, render
from fleetpulse.database.migrate import migrate
from fleetpulse.durations import parse
from fleetpulse.stack.layout import layout
from fleetpulse.stack.programs import postgres

_DATABASE = "bench_queries"
_STEPS = ("5s", "15s", "30s", "1m", "2m", "5m")
_POINTS = 800  # in a time series, at most: about the width of a panel
_ONE = {"device": "d000042", "metric": "temperature_c"}
_ANY = {"site": None, "device": None, "kind": None}
SAMPLES = {
    "the last ten alerts": "SELECT * FROM alerts ORDER BY time DESC LIMIT 10",
    "alerts by device": "SELECT device_id, COUNT(*) FROM alerts GROUP BY device_id ORDER BY count DESC",
    "by five minutes": "SELECT time_bucket('5 minutes', time) AS at, count(*) FROM alerts GROUP BY at ORDER BY at",
}


@dataclass(frozen=True, slots=True)
class Timed:
    """What a query took, in milliseconds, in each of several runs."""

    wall: list[float]
    cpu: list[float]


def questions() -> dict[str, str]:
    """By name, every statement of the dashboards as it is sent when they are opened, and the published samples."""
    panels = {}
    for file in sorted(SQL.glob("*/*.sql")):
        span_ms = _span_ms("device-alerts" if file.parent.name == "variables" else file.parent.name)
        interval = next(step for step in _STEPS if parse(step) * _POINTS >= span_ms)
        text = file.read_text()
        since = UNTIL - timedelta(milliseconds=span_ms)
        view = View(since, UNTIL, interval, _ONE if "'${device}'" in text else _ANY)
        panels[f"{file.parent.name}/{file.stem}"] = render(text, view)
    return panels | SAMPLES


def _span_ms(dashboard: str) -> int:
    """The time range a dashboard shows when it is opened."""
    shown = json.loads((DASHBOARDS / f"{dashboard}.json").read_text())["time"]["from"]
    return parse(shown.removeprefix("now-"))


@contextmanager
def _full_database(server: str, contents: Contents) -> Iterator[str]:
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_DATABASE)))
        try:
            dsn = make_conninfo(server, dbname=_DATABASE)
            migrate(dsn)
            with psycopg.connect(dsn, autocommit=True) as database:
                fill(database, contents)
            yield dsn
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(_DATABASE)))


def _rows(database: psycopg.Connection[Any], table: str) -> int:
    counted = database.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    assert counted is not None
    return int(counted[0])


def measure(database: psycopg.Connection[Any], question: str, runs: int) -> Timed:
    """Ask so many times, after one time that is not counted."""
    backend = psutil.Process(database.info.backend_pid)
    timed = Timed([], [])
    for number in range(runs + 1):
        began, used = time.perf_counter(), sum(backend.cpu_times()[:2])
        database.execute(question).fetchall()
        if number:
            timed.wall.append((time.perf_counter() - began) * 1000)
            timed.cpu.append((sum(backend.cpu_times()[:2]) - used) * 1000)
    return timed


def table(results: dict[str, Timed], sizes: dict[str, int]) -> str:
    """The figures as Markdown."""
    held = ", ".join(f"{rows:,} rows of {name}" for name, rows in sizes.items())
    lines = [
        f"{held}; {report.machine()}.",
        "",
        "| query | median, ms | worst, ms | CPU, ms |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, timed in results.items():
        lines.append(f"| {name} | {median(timed.wall):,.0f} | {max(timed.wall):,.0f} | {median(timed.cpu):,.0f} |")
    return "\n".join(lines)


@click.command(context_settings={"show_default": True})
@report.folder_option
@option(
    "database.url",
    Database(),
    "Superuser's address of another server on this machine.",
    parameter="server",
    aliases=("--server",),
    environment=False,
)
@report.count_option("readings", 10_000, 10_000_000, "Readings to ask about.")
@report.count_option("alerts", 1_000, 1_000_000, "Revisions of alerts to ask about.")
@report.count_option("runs", 1, 5, "Runs of each query.")
@report.output_option
def main(folder: str, server: str | None, readings: int, alerts: int, runs: int, output: Path | None) -> None:
    """Measure what panels ask of a full database."""
    results = {}
    contents = Contents(readings=readings, revisions=alerts)
    with (
        _full_database(libpq(server) if server else postgres.dsn(layout(folder)), contents) as dsn,
        psycopg.connect(dsn, autocommit=True) as database,
    ):
        sizes = {name: _rows(database, name) for name in ("alerts", "sensor_readings", "aggregates")}
        database.execute("SET ROLE monitor_user")
        database.execute("SET max_parallel_workers_per_gather = 0")  # so that its CPU time is all there is
        for name, question in questions().items():
            results[name] = measure(database, question, runs)
            click.echo(f"{name}: {median(results[name].wall):.0f} ms", err=True)
    report.publish(table(results, sizes), output, "queries")
