"""The schema on a real PostgreSQL: what migrates, what is kept once, what is rejected, and who may do what."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from fleetpulse.database.migrate import migrate
from tests.e2e.support.databases import compress, rows

pytestmark = pytest.mark.e2e

MIGRATIONS = [
    "0001-roles",
    "0002-alerts",
    "0003-alerts-ingest",
    "0004-readings-and-aggregates",
    "0005-readings-and-aggregates-ingest",
    "0006-time-bucket",
    "0007-readings-by-time",
    "0008-retention",
    "0009-open-alerts",
    "0010-sites",
]
ALERT_ID = "6f0a7f2e-54d1-5a1c-9a52-0d5f7a3c1b11"
OPENED_AT = "2026-01-01T00:01:30.000Z"


def an_alert(**changes: str | None) -> dict[str, str | None]:
    return {
        "alert_id": ALERT_ID,
        "revision": "1",
        "state": "open",
        "rule_id": "inactivity",
        "kind": "inactivity",
        "severity": "critical",
        "device_id": "d456",
        "value": "61.2",
        "unit": "s",
        "limit_value": "60.0",
        "opened_at": OPENED_AT,
        "changed_at": OPENED_AT,
        "detected_at": "2026-01-01T00:01:32.412Z",
        "summary": "d456 has been silent for 61.2 s",
        "evidence": '{"silent_ms": 61200}',
    } | changes


def insert(database: psycopg.Connection[Any], *alerts: dict[str, str | None]) -> None:
    """Insert as the writer does: many rows in one transaction."""
    with database.transaction():
        database.execute("SET LOCAL ROLE alert_writer")
        for alert in alerts:
            columns = sql.SQL(", ").join(map(sql.Identifier, alert))
            values = sql.SQL(", ").join([sql.Placeholder()] * len(alert))
            database.execute(
                sql.SQL("INSERT INTO alerts_ingest ({}) VALUES ({})").format(columns, values), list(alert.values())
            )


def test_migrating_twice_changes_nothing(empty_database: str) -> None:
    assert migrate(empty_database) == MIGRATIONS
    assert migrate(empty_database) == []


def test_two_migrations_at_once_apply_everything_once(empty_database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = [name for names in pool.map(migrate, [empty_database] * 4) for name in names]
    assert sorted(applied) == MIGRATIONS


def test_an_alert_is_kept_with_its_types(database: psycopg.Connection[Any]) -> None:
    insert(database, an_alert())
    [(opened, value, limit, silent_ms, same)] = rows(
        database, "SELECT time, value, \"limit\", evidence -> 'silent_ms', stored_at > detected_at FROM alerts"
    )
    assert (opened.isoformat(), value, limit, silent_ms, same) == ("2026-01-01T00:01:30+00:00", 61.2, 60.0, 61200, True)


def test_a_repeat_is_not_a_duplicate(database: psycopg.Connection[Any]) -> None:
    insert(database, an_alert(), an_alert())
    insert(database, an_alert(detected_at="2026-01-01T00:09:00Z"))
    assert rows(database, "SELECT count(*), (SELECT count(*) FROM alerts_rejects) FROM alerts") == [(1, 0)]


BAD_ROWS = [
    pytest.param({"alert_id": "no uuid"}, "uuid", id="id is no UUID"),
    pytest.param({"alert_id": None}, "null value", id="id is missing"),
    pytest.param({"revision": "one"}, "integer", id="revision is no number"),
    pytest.param({"revision": "0"}, "check constraint", id="revision below one"),
    pytest.param({"revision": "99999999999"}, "out of range", id="revision too large"),
    pytest.param({"state": "closed"}, "check constraint", id="unknown state"),
    pytest.param({"severity": "loud"}, "check constraint", id="unknown severity"),
    pytest.param({"device_id": ""}, "check constraint", id="empty device"),
    pytest.param({"device_id": "d" * 10_000}, "check constraint", id="device too long"),
    pytest.param({"rule_id": None}, "null value", id="no rule"),
    pytest.param({"value": "warm"}, "double precision", id="value is no number"),
    pytest.param({"value": "1e400"}, "out of range", id="value too large"),
    pytest.param({"limit_value": "sixty"}, "double precision", id="limit is no number"),
    pytest.param({"opened_at": "yesterday evening"}, "timestamp", id="time cannot be read"),
    pytest.param({"value": "NaN"}, "check constraint", id="value is not finite"),
    pytest.param({"evidence": None}, "null value", id="no evidence"),
    pytest.param({"opened_at": "infinity"}, "check constraint", id="time without end"),
    pytest.param({"changed_at": "2026-02-30T00:00:00Z"}, "out of range", id="a day that is not"),
    pytest.param({"detected_at": None}, "null value", id="no detection time"),
    pytest.param({"summary": None}, "null value", id="no summary"),
    pytest.param({"evidence": "{"}, "json", id="evidence is no JSON"),
    pytest.param({"evidence": '"\\u0000"'}, "Unicode", id="evidence with U+0000"),
    pytest.param({"evidence": "[" * 100_000}, "stack depth", id="evidence too deep"),
    pytest.param({"unparsed": "rubbish"}, "not a JSON object", id="no JSON at all"),
]


@pytest.mark.parametrize(("changes", "reason"), BAD_ROWS)
def test_a_bad_row_is_rejected_and_does_not_cost_its_batch(
    database: psycopg.Connection[Any], changes: dict[str, str | None], reason: str
) -> None:
    bad = an_alert(**changes)
    insert(database, an_alert(), bad, an_alert(revision="2", state="recovered"))
    assert rows(database, "SELECT revision FROM alerts ORDER BY revision") == [(1,), (2,)]
    [(why, when_known)] = rows(database, "SELECT reason, rejected_at <= now() FROM alerts_rejects")
    assert reason in why
    assert when_known
    [column] = changes
    assert rows(database, f"SELECT {column} FROM alerts_rejects") == [(changes[column],)]


def test_a_bad_row_that_comes_again_is_rejected_once(database: psycopg.Connection[Any]) -> None:
    insert(database, an_alert(state="closed", origin="alerts:0:7"))
    insert(database, an_alert(state="closed", origin="alerts:0:7"), an_alert(state="closed", origin="alerts:0:8"))
    assert rows(database, "SELECT origin FROM alerts_rejects ORDER BY 1") == [("alerts:0:7",), ("alerts:0:8",)]


def test_a_time_without_offset_is_utc(database: psycopg.Connection[Any]) -> None:
    database.execute("SET timezone = 'Asia/Tokyo'")
    insert(database, an_alert(opened_at="2026-01-01T00:01:30"))
    assert rows(database, "SELECT time = '2026-01-01T00:01:30Z' FROM alerts") == [(True,)]


def test_current_is_the_last_revision_in_whatever_order_they_came(database: psycopg.Connection[Any]) -> None:
    other = "0b54a1f0-6a1d-5f0a-8f3e-3c1d2e4f5a6b"
    insert(
        database,
        an_alert(revision="10", state="recovered"),
        an_alert(revision="9", state="updated"),
        an_alert(),
        an_alert(alert_id=other, device_id="d457"),
    )
    current = rows(database, "SELECT device_id, revision, state FROM alerts_current ORDER BY device_id")
    assert current == [("d456", 10, "recovered"), ("d457", 1, "open")]


@pytest.mark.parametrize(
    ("told", "open_now"),
    [
        pytest.param(["1 open"], [1], id="opened"),
        pytest.param(["1 open", "1 open"], [1], id="opened, told twice"),
        pytest.param(["1 open", "2 updated"], [2], id="worse"),
        pytest.param(["1 open", "2 recovered"], [], id="over"),
        pytest.param(["1 open", "2 cancelled"], [], id="cancelled"),
        pytest.param(["1 open", "2 updated", "3 expired"], [], id="forgotten"),
        pytest.param(["2 recovered", "1 open"], [], id="its end came first"),
        pytest.param(["3 recovered", "2 updated", "1 open"], [], id="from the end to the beginning"),
        pytest.param(["2 recovered", "1 open", "3 open"], [3], id="opened again"),
        pytest.param(["1 open", "2 recovered", "1 open"], [], id="read again"),
        pytest.param(["1 open", "2 closed"], [1], id="an end that was rejected"),
    ],
)
def test_open_is_what_no_later_revision_has_ended(
    database: psycopg.Connection[Any], told: list[str], open_now: list[int]
) -> None:
    for revision, state in map(str.split, told):
        insert(database, an_alert(revision=revision, state=state))
    compress(database)
    database.execute("SET ROLE monitor_user")
    assert rows(database, "SELECT revision FROM alerts_open") == [(revision,) for revision in open_now]
    assert rows(database, "SELECT * FROM alerts_open") == rows(
        database, "SELECT * FROM alerts_current WHERE state IN ('open', 'updated')"
    )


def test_an_end_of_another_time_closes_nothing(database: psycopg.Connection[Any]) -> None:
    """A later revision with another opened_at belongs to another alert."""
    insert(database, an_alert(), an_alert(revision="7", state="recovered", opened_at="2026-01-02T00:00:00Z"))
    assert rows(database, "SELECT revision FROM alerts_open") == [(1,)]
    insert(database, an_alert(revision="1", opened_at="2026-01-03T00:00:00Z"))
    assert rows(database, "SELECT time FROM alerts_open ORDER BY 1") == rows(
        database, "SELECT time FROM alerts_current WHERE state = 'open' ORDER BY 1"
    )


def test_what_has_ended_leaves_nothing_behind_that_every_look_at_the_open_would_meet(
    database: psycopg.Connection[Any],
) -> None:
    insert(database, an_alert(), an_alert(revision="2", state="updated"))
    assert rows(database, "SELECT revision FROM alerts_unended") == [(2,)]
    insert(database, an_alert(revision="3", state="recovered"))
    assert rows(database, "SELECT revision FROM alerts_unended") == []


def test_two_writers_at_once_leave_no_alert_open_that_is_over(database: psycopg.Connection[Any]) -> None:
    insert(database, an_alert(alert_id="0b54a1f0-6a1d-5f0a-8f3e-3c1d2e4f5a6b", state="recovered"))
    with psycopg.connect(database.info.dsn, password=database.info.password, autocommit=True) as other:
        other.execute("SET lock_timeout = '10s'")
        with database.transaction():
            insert(database, an_alert())
            insert(other, an_alert(revision="2", state="recovered"))
        assert rows(other, "SELECT count(*), (SELECT count(*) FROM alerts_open) FROM alerts") == [(3, 0)]


@pytest.mark.parametrize(
    "forbidden",
    [
        "SELECT * FROM alerts",
        "SELECT * FROM alerts_ingest",
        "SELECT * FROM alerts_rejects",
        "INSERT INTO alerts (time) VALUES (now())",
        "INSERT INTO alerts_rejects (reason) VALUES ('x')",
        "UPDATE alerts SET state = 'open'",
        "DELETE FROM alerts",
        "TRUNCATE alerts",
        "CREATE TABLE mine (x int)",
    ],
)
def test_the_writer_may_only_insert_through_the_view(database: psycopg.Connection[Any], forbidden: str) -> None:
    database.execute("SET ROLE alert_writer")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute(forbidden)


def test_the_reader_may_read_and_nothing_else(database: psycopg.Connection[Any]) -> None:
    database.execute("SET ROLE monitor_user")
    for table in ("alerts", "alerts_current", "alerts_open", "alerts_rejects"):
        assert rows(database, f"SELECT * FROM {table}") == []
    for forbidden in ("INSERT INTO alerts_ingest (state) VALUES ('open')", "DELETE FROM alerts"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute(forbidden)


def test_the_queries_of_the_dashboards_before_still_answer(database: psycopg.Connection[Any]) -> None:
    opened = [f"2026-01-01T00:{minute:02}:00Z" for minute in range(12)]
    devices = ["d1"] * 4 + ["d2"] * 8
    alerts = zip(opened, devices, strict=True)
    insert(database, *(an_alert(alert_id=str(uuid.uuid4()), opened_at=at, device_id=device) for at, device in alerts))
    database.execute("SET ROLE monitor_user")
    newest = [row[0] for row in rows(database, "SELECT * FROM alerts ORDER BY time DESC LIMIT 10")]
    assert newest == [datetime.fromisoformat(at) for at in reversed(opened[2:])]
    counts = rows(database, "SELECT device_id, COUNT(*) FROM alerts GROUP BY device_id ORDER BY count DESC")
    assert counts == [("d2", 8), ("d1", 4)]


def test_the_statements_of_the_operations_page_run(database: psycopg.Connection[Any]) -> None:
    page = Path("docs/operations.md").read_text()
    statements = [
        s for block in re.findall(r"```sql\n(.*?)```", page, re.DOTALL) for s in re.findall(r"[A-Z][^;]*;", block)
    ]
    assert len(statements) >= 6
    database.execute("SET ROLE monitor_user")
    answers = [rows(database, statement) for statement in statements]
    assert [(1,)] in answers
    assert any({("alerts", "BASE TABLE"), ("telemetry_raw", "VIEW")} <= set(answer) for answer in answers)
    assert any("sensor_readings_device_id" in str(answer) for answer in answers)


def test_an_error_that_is_not_the_rows_fault_fails_the_writer(database: psycopg.Connection[Any]) -> None:
    """Rejected rows are not tried again, so a lost right or a full disk must never end as a reject."""
    database.execute("REVOKE INSERT ON alerts FROM monitor_owner")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        insert(database, an_alert())
    assert rows(database, "SELECT count(*) FROM alerts_rejects") == [(0,)]
