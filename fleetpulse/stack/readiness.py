"""Waits until the stack's programs answer, each for a bounded time."""

from collections.abc import Callable, Iterator
from functools import partial

import psycopg
import requests
from psycopg import sql
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from fleetpulse.database.migrate import migrate
from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.options import chosen
from fleetpulse.stack.passwords import password
from fleetpulse.stack.processes.supervision import log_file, statuses
from fleetpulse.stack.programs.postgres import DATABASE, MONITOR_USER, dsn
from fleetpulse.topics import TOPICS, ticks

_PATIENCE_S = 180
_ROLES = ("alert_writer", MONITOR_USER)


class _NotYetError(Exception):
    """The program does not answer yet."""


def wait_until_ready(stack: Layout) -> Iterator[str]:
    """Yield each program's name when it answers and is set up for the others, in order of start.

    Raises:
        FleetpulseError: one gave up or did not answer in time; names its log file and the last line in it.
    """
    checks: dict[str, Callable[[Layout], None]] = {
        "kafka": _kafka,
        "postgres": _postgres,
        "jobmanager": _jobmanager,
        "taskmanager": _taskmanager,
    }
    for name, check in checks.items():
        _wait(stack, name, check)
        yield name
    for option in chosen(stack):
        for name, url in option.answers(stack).items():
            _wait(stack, name, partial(_answers, url))
            yield name
        option.settle(stack)


def _wait(stack: Layout, name: str, check: Callable[[Layout], None]) -> None:
    def attempt() -> None:
        for status in statuses(stack):
            if status.name == name and status.state == "FATAL":
                raise FleetpulseError(f"{name} does not start: {_last_line(stack, name)}")
        check(stack)

    patiently = Retrying(
        retry=retry_if_exception_type(_NotYetError), stop=stop_after_delay(_PATIENCE_S), wait=wait_fixed(0.3)
    )
    try:
        patiently(attempt)
    except RetryError as late:
        why = late.last_attempt.exception()
        raise FleetpulseError(
            f"{name} does not answer after {_PATIENCE_S} s ({why}): {_last_line(stack, name)}"
        ) from late


def _last_line(stack: Layout, name: str) -> str:
    file = log_file(stack, name)
    lines = file.read_text(errors="replace").strip().splitlines() if file.exists() else []
    return f"{lines[-1] if lines else 'nothing logged'} (log: {file})"


def _kafka(stack: Layout) -> None:
    try:
        ensure_topics(stack.address("kafka"), (*TOPICS, ticks("inactivity")))
    except FleetpulseError as failed:
        raise _NotYetError(failed) from failed


def _postgres(stack: Layout) -> None:
    try:
        with psycopg.connect(dsn(stack, database="postgres"), autocommit=True, connect_timeout=5) as admin:
            if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    except psycopg.OperationalError as failed:
        raise _NotYetError(failed) from failed
    migrate(dsn(stack))
    with psycopg.connect(dsn(stack), autocommit=True) as admin:
        for role in _ROLES:
            admin.execute(
                sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), password(stack, role))
            )


def _jobmanager(stack: Layout) -> None:
    _overview(stack)


def _taskmanager(stack: Layout) -> None:
    if not _overview(stack)["taskmanagers"]:
        raise _NotYetError("no TaskManager has registered")


def _answers(url: str, _stack: Layout) -> None:
    try:
        requests.get(url, timeout=5).raise_for_status()
    except requests.RequestException as failed:
        raise _NotYetError(failed) from failed


def _overview(stack: Layout) -> dict[str, int]:
    try:
        answer = requests.get(f"http://{stack.address('flink-web')}/overview", timeout=5)
        answer.raise_for_status()
        overview: dict[str, int] = answer.json()
    except requests.RequestException as failed:
        raise _NotYetError(failed) from failed
    return overview
