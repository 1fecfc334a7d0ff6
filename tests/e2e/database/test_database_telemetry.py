"""Readings and aggregates on a real PostgreSQL: what is kept once, what is rejected, and what it is called."""

import json
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.e2e.support.databases import rows

pytestmark = pytest.mark.e2e

NOON = "2026-01-01T12:00:00.250Z"
COUNTS = "SELECT (SELECT count(*) FROM sensor_readings), (SELECT count(*) FROM readings_rejects)"


def a_reading(**changes: Any) -> dict[str, Any]:
    return {
        "time": NOON,
        "device_id": "d1",
        "site": "hall 1",
        "temperature_c": "21.5",
        "metrics": '{"vibration_mm_s": 2.5}',
        "origin": "telemetry.raw:0:1",
    } | changes


def an_aggregate(**changes: Any) -> dict[str, Any]:
    return {
        "window_start": "2026-01-01T12:00:00.000Z",
        "window_end": "2026-01-01T12:01:00.000Z",
        "device_id": "d1",
        "metric": "temperature_c",
        "unit": "°C",
        "count": "2",
        "sum": "43.0",
        "min": "21.0",
        "max": "22.0",
        "avg": "21.5",
        "last": "22.0",
        "p95": "22.0",
        "origin": "telemetry.agg.1m:0:1",
    } | changes


def insert(database: psycopg.Connection[Any], view: str, *given: dict[str, Any]) -> None:
    """Insert as the writer does: many rows in one transaction."""
    with database.transaction(), database.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE alert_writer")
        for row in given:
            names = sql.SQL(", ").join(map(sql.Identifier, row))
            values = sql.SQL(", ").join([sql.Placeholder()] * len(row))
            cursor.execute(
                sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(view), names, values),
                list(row.values()),
            )


def insert_readings(database: psycopg.Connection[Any], way: str, *readings: dict[str, Any]) -> None:
    """Insert readings one by one, or as one batch."""
    if way == "one by one":
        insert(database, "readings_ingest", *readings)
    else:
        insert(database, "readings_ingest", {"batch": json.dumps(readings)})


WAYS = pytest.mark.parametrize("way", ["one by one", "as a batch"])


@WAYS
def test_a_reading_is_kept_with_its_types(database: psycopg.Connection[Any], way: str) -> None:
    insert_readings(database, way, a_reading())
    [(time, site, zone, temperature, humidity, vibration)] = rows(
        database,
        "SELECT time, site, zone, temperature_c, humidity, metrics -> 'vibration_mm_s' FROM sensor_readings",
    )
    assert (time.isoformat(), site, zone) == ("2026-01-01T12:00:00.250000+00:00", "hall 1", None)
    assert (temperature, humidity, vibration) == (21.5, None, 2.5)


def test_a_batch_may_have_numbers_and_objects_as_such(database: psycopg.Connection[Any]) -> None:
    insert_readings(database, "as a batch", a_reading(temperature_c=21.5, metrics={"vibration_mm_s": 2.5}))
    assert rows(database, "SELECT temperature_c, metrics ->> 'vibration_mm_s' FROM sensor_readings") == [(21.5, "2.5")]


@WAYS
def test_a_record_that_is_read_again_is_no_duplicate(database: psycopg.Connection[Any], way: str) -> None:
    insert_readings(database, way, a_reading(), a_reading(), a_reading(origin="telemetry.raw:0:2"))
    insert_readings(database, way, a_reading())
    assert rows(database, COUNTS) == [(2, 0)]


BAD_READINGS = [
    pytest.param({"time": "yesterday evening"}, "timestamp", id="time cannot be read"),
    pytest.param({"time": "infinity"}, "check constraint", id="time without end"),
    pytest.param({"time": None}, "null value", id="no time"),
    pytest.param({"device_id": ""}, "check constraint", id="empty device"),
    pytest.param({"device_id": "d" * 10_000}, "check constraint", id="device too long"),
    pytest.param({"temperature_c": "warm"}, "double precision", id="value is no number"),
    pytest.param({"lat": "NaN"}, "check constraint", id="value is not finite"),
    pytest.param({"battery": "1e400"}, "out of range", id="value too large"),
    pytest.param({"metrics": "{"}, "json", id="metrics are no JSON"),
    pytest.param({"metrics": "[]"}, "check constraint", id="metrics are no object"),
    pytest.param({"origin": None}, "null value", id="no origin"),
    pytest.param({"unparsed": "rubbish"}, "not a JSON object", id="no JSON at all"),
]


@WAYS
@pytest.mark.parametrize(("changes", "reason"), BAD_READINGS)
def test_a_bad_reading_is_rejected_and_does_not_cost_its_batch(
    database: psycopg.Connection[Any], changes: dict[str, Any], reason: str, way: str
) -> None:
    good = a_reading(origin="t:0:8"), a_reading(origin="t:0:9")
    for _ in range(2):
        insert_readings(database, way, good[0], a_reading(**changes), good[1])
    assert rows(database, "SELECT origin FROM sensor_readings ORDER BY 1") == [("t:0:8",), ("t:0:9",)]
    [column] = changes
    [(why, value)] = rows(database, f"SELECT reason, {column} FROM readings_rejects")
    assert reason in why.replace("NULL", "null")  # TimescaleDB writes it in capitals
    assert value == changes[column]


@pytest.mark.parametrize("batch", ["rubbish", "{", '"text"', "[1]", '[{"time": "\\u0000"}]', "[" * 100_000])
def test_a_batch_that_is_none_is_rejected_whole(database: psycopg.Connection[Any], batch: str) -> None:
    for _ in range(2):
        insert(database, "readings_ingest", {"batch": batch}, a_reading())
    assert rows(database, COUNTS) == [(1, 1)]
    assert rows(database, "SELECT batch FROM readings_rejects") == [(batch,)]


def test_an_aggregate_is_kept_with_its_types_once_for_each_width(database: psycopg.Connection[Any]) -> None:
    wider = {"window_end": "2026-01-01T13:00:00.000Z", "p95": None}
    insert(database, "aggregates_ingest", an_aggregate(), an_aggregate(), an_aggregate(**wider))
    kept = rows(database, "SELECT width::text, count, avg, unit, p95 FROM aggregates ORDER BY width")
    assert kept == [("00:01:00", 2, 21.5, "°C", 22.0), ("01:00:00", 2, 21.5, "°C", None)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"window_start": "noon"}, "timestamp", id="start cannot be read"),
        pytest.param({"window_end": "2026-01-01T12:00:00Z"}, "check constraint", id="ends where it begins"),
        pytest.param({"window_end": None}, "null value", id="no end"),
        pytest.param({"count": "0"}, "check constraint", id="of nothing"),
        pytest.param({"count": "2.5"}, "bigint", id="half a record"),
        pytest.param({"metric": None}, "null value", id="no metric"),
        pytest.param({"sum": "Infinity"}, "check constraint", id="sum is not finite"),
        pytest.param({"p95": "high"}, "double precision", id="percentile is no number"),
        pytest.param({"unparsed": "rubbish"}, "not a JSON object", id="no JSON at all"),
    ],
)
def test_a_bad_aggregate_is_rejected_and_does_not_cost_its_batch(
    database: psycopg.Connection[Any], changes: dict[str, Any], reason: str
) -> None:
    for _ in range(2):
        insert(
            database,
            "aggregates_ingest",
            an_aggregate(device_id="d8"),
            an_aggregate(**changes),
            an_aggregate(device_id="d9"),
        )
    assert rows(database, "SELECT device_id FROM aggregates ORDER BY 1") == [("d8",), ("d9",)]
    [(why,)] = rows(database, "SELECT reason FROM aggregates_rejects")
    assert reason in why


@pytest.mark.parametrize(
    "forbidden",
    [
        "SELECT * FROM sensor_readings",
        "SELECT * FROM aggregates_ingest",
        "SELECT * FROM readings_rejects",
        "INSERT INTO sensor_readings (time) VALUES (now())",
        "INSERT INTO aggregates_rejects (reason) VALUES ('x')",
        "DELETE FROM aggregates",
        "SELECT readings_ingest_batch(NULL)",
    ],
)
def test_the_writer_may_only_insert_through_the_views(database: psycopg.Connection[Any], forbidden: str) -> None:
    database.execute("SET ROLE alert_writer")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute(forbidden)


def test_the_reader_finds_them_by_their_old_names_too(database: psycopg.Connection[Any]) -> None:
    insert(database, "readings_ingest", a_reading())
    insert(database, "aggregates_ingest", an_aggregate())
    database.execute("SET ROLE monitor_user")
    old = "SELECT device_id, ts = '2026-01-01T12:00:00.250Z', temperature_c, humidity, lat, lon FROM telemetry_raw"
    assert rows(database, old) == [("d1", True, 21.5, None, None, None)]
    old = (
        "SELECT device_id, sensor_type, count, sum, min, max, average, timestamp = '2026-01-01T12:00:00Z'"
        " FROM aggregated_data"
    )
    assert rows(database, old) == [("d1", "temperature_c", 2, 43.0, 21.0, 22.0, 21.5, True)]
    for table in ("sensor_readings", "aggregates", "readings_rejects", "aggregates_rejects"):
        rows(database, f"SELECT * FROM {table}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute("INSERT INTO readings_ingest (batch) VALUES ('[]')")


@WAYS
def test_an_error_that_is_not_the_rows_fault_fails_the_writer(database: psycopg.Connection[Any], way: str) -> None:
    database.execute("REVOKE INSERT ON sensor_readings FROM monitor_owner")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        insert_readings(database, way, a_reading())
    assert rows(database, COUNTS) == [(0, 0)]
