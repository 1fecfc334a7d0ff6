"""Ends a demo, the one that runs or one that was killed: its jobs, its open alerts and its topics."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec
import psycopg
from psycopg import sql
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from fleetpulse.alerts import AlertState
from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka.reading import read_to_end
from fleetpulse.kafka.topics import delete_topics, topic_names
from fleetpulse.stack import rest
from fleetpulse.stack.demo.topics import DemoTopics, demos
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.programs.postgres import MONITOR_USER, dsn
from fleetpulse.times import iso

_LIVE = (AlertState.OPEN, AlertState.UPDATED)
_END_S = 20
_WRITTEN = {"limit": "limit_value"}  # columns of the ingest view that have another name than the field
_FIELDS = (
    *("alert_id", "revision", "state", "rule_id", "kind", "severity", "device_id", "site", "metric", "value", "unit"),
    *("limit", "opened_at", "changed_at", "detected_at", "summary", "evidence"),
)

Alert = Mapping[str, Any]


def end_former(stack: Layout, current: DemoTopics) -> int:
    """End all demos but the current one, which were killed before they could end themselves.

    Returns:
        How many there were.
    """
    former = [demo for demo in demos(topic_names(stack.address("kafka"))) if demo != current.demo]
    for demo in former:
        end(stack, DemoTopics(demo))
    return len(former)


def end(stack: Layout, topics: DemoTopics) -> int:
    """End a demo whose simulator has stopped: cancel its jobs, close its open alerts, delete its topics.

    Returns:
        How many alerts were open.

    Raises:
        FleetpulseError: Kafka or the database does not answer; the next demo tries again.
    """
    _cancel_jobs(stack, topics.demo)
    existing = topic_names(stack.address("kafka"))
    open_alerts = _close_alerts(stack, topics.alerts.name) if topics.alerts.name in existing else 0
    delete_topics(stack.address("kafka"), topics.all)
    return open_alerts


def closing(revisions: Iterable[Alert], at_ms: int) -> Iterator[Alert]:
    """What an alert still lacks to be over: the revisions there are of it, and where none ends it, one that does.

    Args:
        revisions: all revisions of one alert, in any order.
        at_ms: when the demo ended.
    """
    ordered = sorted(revisions, key=lambda revision: revision["revision"])
    yield from ordered
    last = ordered[-1]
    if last["state"] in _LIVE:
        yield {
            **last,
            "revision": last["revision"] + 1,
            "state": AlertState.CANCELLED,
            "changed_at": max(iso(at_ms), last["changed_at"]),
            "detected_at": iso(at_ms),
            "summary": f"{last['device_id']}: the demo ended while this alert was open.",
        }


def _cancel_jobs(stack: Layout, demo: str) -> None:
    """Cancel the jobs of a demo and wait until they have ended: then no transaction of theirs hides what they wrote."""
    with suppress(FleetpulseError):  # Flink has ended, and its jobs with it
        address = stack.address("flink-web")
        for job in _jobs(address, demo):
            rest.cancel(address, job)
        waiting = Retrying(
            retry=retry_if_result(bool),
            stop=stop_after_delay(_END_S),
            wait=wait_fixed(0.2),
            retry_error_callback=lambda _state: None,
        )
        waiting(_jobs, address, demo)


def _jobs(address: str, demo: str) -> list[str]:
    return [job.id for job in rest.running_jobs(address) if f"-{demo}." in (rest.identity(address, job.id) or "")]


def _close_alerts(stack: Layout, topic: str) -> int:
    """Store what the database lacks of this topic's alerts that are open in it, and a last revision of each."""
    try:
        with psycopg.connect(dsn(stack, MONITOR_USER)) as database:
            still_open = {str(alert_id) for (alert_id,) in database.execute("SELECT alert_id FROM alerts_open")}
        revisions: dict[str, list[Alert]] = {}
        for message in read_to_end(stack.address("kafka"), topic, "fleetpulse-demo-ending") if still_open else ():
            alert = msgspec.json.decode(message.value() or b"{}")
            if alert.get("alert_id") in still_open:
                revisions.setdefault(alert["alert_id"], []).append(alert)
        now_ms = time.time_ns() // 1_000_000
        rows = [row for alert in revisions.values() for row in closing(alert, now_ms)]
        with psycopg.connect(dsn(stack, "alert_writer")) as database:
            _insert(database, rows)
    except psycopg.OperationalError as away:
        raise FleetpulseError(f"the database does not answer: {str(away).splitlines()[0]}") from away
    return len(rows) - sum(len(alert) for alert in revisions.values())


def _insert(database: psycopg.Connection[Any], alerts: list[Alert]) -> None:
    columns = [sql.Identifier(_WRITTEN.get(field, field)) for field in _FIELDS]
    into = sql.SQL("INSERT INTO alerts_ingest ({}) VALUES ({})").format(
        sql.SQL(", ").join(columns), sql.SQL(", ").join([sql.Placeholder()] * len(columns))
    )
    with database.cursor() as cursor:
        cursor.executemany(into, [[_text(alert[field]) for field in _FIELDS] for alert in alerts])


def _text(value: Any) -> str | None:
    """A field as the ingest view takes it: all text."""
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
