"""What Vector's programs make of messages, written as its `postgres` sink writes it: one statement a batch."""

import json
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.e2e.jobs.test_archive import NOON, RUBBISH, aggregate, alert
from tests.e2e.support.databases import rows
from tests.unit.deploy.observability.vector import SINKS, Dropped, transformed

pytestmark = pytest.mark.e2e


def write(database: psycopg.Connection[Any], store: str, *messages: bytes | None) -> int:
    """Write messages as one batch, and tell how many were left to the dead letters. Vector passes on no tombstones."""
    sink, batch, dropped = SINKS[store], [], 0
    [transform] = sink["inputs"]
    for message in messages:
        if message is not None:
            try:
                batch.append(transformed(transform, message))
            except Dropped:
                dropped += 1
    with database.transaction(), database.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE alert_writer")
        table = sink["table"]
        statement = f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s)"
        cursor.execute(statement.encode(), [Jsonb(batch)])
    return dropped


def test_each_message_is_a_row_a_rejected_row_or_a_dead_letter(database: psycopg.Connection[Any]) -> None:
    """The same messages that the archive job is given."""
    poison = [*RUBBISH, alert(3, summary="a\x00b \\u0000 \\\x00", evidence={"\x00": "\x00 \\u0000"})]
    for _ in range(2):
        dropped = write(database, "alerts_to_database", alert(1), *poison, alert(1), alert(1, 2), alert(2))
        assert dropped == 10
        assert rows(database, "SELECT count(*) FROM alerts_rejects") == [(4,)]
    current = rows(database, "SELECT device_id, revision, state FROM alerts_current ORDER BY device_id")
    assert current == [("d1", 2, "recovered"), ("d2", 1, "open"), ("d3", 1, "open")]
    [(summary, evidence)] = rows(database, "SELECT summary, evidence FROM alerts WHERE device_id = 'd3'")
    assert (summary, evidence) == ("ab \\u0000 \\", {"": " \\u0000"})


def test_a_row_says_what_the_alert_says(database: psycopg.Connection[Any]) -> None:
    message = alert(1, value=8.477345033456992e-212, site="hall é", evidence={"recent": [[1, 2**70], [2, 0.1]], "": {}})
    assert write(database, "alerts_to_database", message) == 0
    stored = rows(
        database,
        "SELECT to_json(a)::jsonb - '{time,stored_at}'::text[], opened_at FROM alerts a",
    )
    said = json.loads(message)
    for name in ("device-id", "latest-event-time"):
        del said[name]
    [(row, opened_at)] = stored
    assert opened_at.isoformat(timespec="milliseconds").replace("+00:00", "Z") == NOON
    assert row | dict.fromkeys(("opened_at", "changed_at", "detected_at"), NOON) == said


def test_an_alert_too_large_for_its_index_costs_nobody_else_a_row(database: psycopg.Connection[Any]) -> None:
    large = alert(1, summary="x" * 2_000_000, evidence={"y": "z" * 2_000_000})
    unfit = alert(2, device_id="é" * 100_000)
    assert write(database, "alerts_to_database", large, unfit, alert(3)) == 0
    assert rows(database, "SELECT device_id, length(summary) > 1000000 FROM alerts ORDER BY 1") == [
        ("d1", True),
        ("d3", False),
    ]
    assert rows(database, "SELECT length(device_id) FROM alerts_rejects") == [(100_000,)]


def test_aggregates_arrive_the_same_way(database: psycopg.Connection[Any]) -> None:
    bad = aggregate("d2", count="many")
    assert write(database, "aggregates_to_database", aggregate("d1\x00"), bad, b"{", aggregate("d1")) == 1
    assert rows(database, "SELECT device_id, count, sum, p95 FROM aggregates") == [("d1", 2, 43.0, 22.0)]
    assert rows(database, "SELECT device_id, count FROM aggregates_rejects") == [("d2", "many")]
