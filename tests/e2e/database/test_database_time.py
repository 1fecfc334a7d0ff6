"""What time is to the database: buckets, readings by time, chunks and their end, with TimescaleDB and without."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from tests.e2e.support.databases import ALERTS, compress, hypertables, insert_reading, rows

pytestmark = pytest.mark.e2e

NOON = "2026-01-01T12:00:00Z"
VIEWS = ("readings_1m", "readings_1h", "readings_1d")


def refresh(database: psycopg.Connection[Any]) -> None:
    """What TimescaleDB's policies do at ten past noon. Else nothing."""
    if hypertables(database):
        for view in VIEWS:
            database.execute(f"CALL refresh_continuous_aggregate('{view}', NULL, '2026-01-01 12:10Z')")


@pytest.mark.parametrize(
    ("width", "time", "begins"),
    [
        pytest.param("5 minutes", "2026-11-24 22:01:18.98+00", "2026-11-24 22:00:00+00", id="minutes"),
        pytest.param("5 minutes", "2026-11-24 22:05:00+00", "2026-11-24 22:05:00+00", id="begins where it is"),
        pytest.param("1 hour", "2026-11-24 22:01:18+05:30", "2026-11-24 16:00:00+00", id="hours are UTC's"),
        pytest.param("1 day", "2026-11-24 22:01:18+00", "2026-11-24 00:00:00+00", id="days"),
        pytest.param("7 days", "2026-11-29 23:59:59+00", "2026-11-23 00:00:00+00", id="weeks begin on Monday"),
        pytest.param(
            "1 day 3 hours", "2000-01-04 03:00:00+00", "2000-01-04 03:00:00+00", id="the origin is 3 January 2000"
        ),
        pytest.param("5 minutes", "1999-12-31 23:59:59+00", "1999-12-31 23:55:00+00", id="before the origin"),
        pytest.param("1 month", "2026-02-28 23:59:59+00", "2026-02-01 00:00:00+00", id="months"),
        pytest.param("5 months", "2026-11-24 22:01:18+00", "2026-09-01 00:00:00+00", id="months count from 2000-01"),
        pytest.param("3 months", "1987-02-28 10:00:00+00", "1987-01-01 00:00:00+00", id="months before that"),
        pytest.param("1 year", "2026-11-24 22:01:18+00", "2026-01-01 00:00:00+00", id="years"),
        pytest.param("1 month", "2026-03-01 01:00:00+02", "2026-02-01 00:00:00+00", id="months are UTC's"),
        pytest.param("1 hour", "infinity", "infinity", id="no end"),
    ],
)
def test_a_bucket_begins_where_timescaledb_lets_it_begin(
    database: psycopg.Connection[Any], width: str, time: str, begins: str
) -> None:
    database.execute("SET timezone = 'Asia/Tokyo'")
    query = f"SELECT time_bucket('{width}', TIMESTAMPTZ '{time}') = TIMESTAMPTZ '{begins}'"
    assert rows(database, query) == [(True,)]


@pytest.mark.parametrize("width", ["0 seconds", "-1 hour", "-1 month", "1 month 1 day"])
def test_a_width_that_makes_no_buckets_is_refused(database: psycopg.Connection[Any], width: str) -> None:
    with pytest.raises(psycopg.Error):
        database.execute(f"SELECT time_bucket('{width}', now())")


def test_the_reader_counts_alerts_by_five_minutes(database: psycopg.Connection[Any]) -> None:
    database.execute(
        """
        INSERT INTO alerts
        SELECT time, gen_random_uuid(), 1, 'open', 'r', 'inactivity', 'critical', 'd1', NULL, NULL, NULL, NULL, NULL,
            time, time, time, 'silent', '{}'
        FROM generate_series(TIMESTAMPTZ '2026-01-01 12:00Z', '2026-01-01 12:08Z', '2 minutes') AS time
        """
    )
    database.execute("SET ROLE monitor_user")
    counts = rows(database, "SELECT time_bucket('5 minutes', time) AS at, count(*) FROM alerts GROUP BY at ORDER BY at")
    assert counts == [(datetime(2026, 1, 1, 12, 0, tzinfo=UTC), 3), (datetime(2026, 1, 1, 12, 5, tzinfo=UTC), 2)]


def test_readings_are_there_by_minute_hour_and_day(database: psycopg.Connection[Any]) -> None:
    insert_reading(database, "2026-01-01T12:00:00Z", "t:0:1", temperature_c=20, humidity=40)
    insert_reading(database, "2026-01-01T12:00:59.999Z", "t:0:2", temperature_c=30)
    insert_reading(database, "2026-01-01T12:01:00Z", "t:0:3", temperature_c=40)
    refresh(database)
    insert_reading(database, "2026-01-01T23:00:00Z", "t:0:4", temperature_c=50)
    columns = "bucket::text, device_id, site, readings, temperature_c_count, temperature_c_avg, temperature_c_min"
    columns += ", temperature_c_max, humidity_avg, battery_count, battery_avg"
    database.execute("SET timezone = 'UTC'")
    database.execute("SET ROLE monitor_user")
    found = {view: rows(database, f"SELECT {columns} FROM {view} ORDER BY bucket") for view in VIEWS}
    assert found["readings_1m"] == [
        ("2026-01-01 12:00:00+00", "d1", "hall 1", 2, 2, 25.0, 20.0, 30.0, 40.0, 0, None),
        ("2026-01-01 12:01:00+00", "d1", "hall 1", 1, 1, 40.0, 40.0, 40.0, None, 0, None),
        ("2026-01-01 23:00:00+00", "d1", "hall 1", 1, 1, 50.0, 50.0, 50.0, None, 0, None),
    ]
    assert found["readings_1h"] == [
        ("2026-01-01 12:00:00+00", "d1", "hall 1", 3, 3, 30.0, 20.0, 40.0, 40.0, 0, None),
        ("2026-01-01 23:00:00+00", "d1", "hall 1", 1, 1, 50.0, 50.0, 50.0, None, 0, None),
    ]
    assert found["readings_1d"] == [
        ("2026-01-01 00:00:00+00", "d1", "hall 1", 4, 4, 35.0, 20.0, 50.0, 40.0, 0, None),
    ]


def test_views_by_time_have_the_same_columns_everywhere(database: psycopg.Connection[Any]) -> None:
    metrics = ("temperature_c", "humidity", "battery")
    values = [f"{metric}_{value}" for metric in metrics for value in ("count", "sum", "avg", "min", "max")]
    types = {"count": "bigint"}
    expected = [("bucket", "timestamp with time zone"), ("device_id", "text"), ("site", "text"), ("readings", "bigint")]
    expected += [(name, types.get(name.rsplit("_", 1)[1], "double precision")) for name in values]
    for view in VIEWS:
        query = "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute"
        assert rows(database, f"{query} WHERE attrelid = '{view}'::regclass AND attnum > 0 ORDER BY attnum") == expected


def test_what_was_compressed_takes_no_duplicate_and_later_revisions(database: psycopg.Connection[Any]) -> None:
    insert_reading(database, NOON, "t:0:1", temperature_c=20)
    compress(database)
    insert_reading(database, NOON, "t:0:1", temperature_c=20)
    insert_reading(database, NOON, "t:0:2", temperature_c=21)
    kept = rows(database, "SELECT origin, temperature_c FROM sensor_readings ORDER BY origin")
    assert kept == [("t:0:1", 20.0), ("t:0:2", 21.0)]
    assert rows(database, "SELECT count(*) FROM readings_rejects") == [(0,)]


def test_timescaledb_keeps_in_chunks_what_grows_and_its_jobs_may_run(database: psycopg.Connection[Any]) -> None:
    if found := hypertables(database):
        assert {"alerts", "sensor_readings", "aggregates"} <= found
        ours = "FROM timescaledb_information.jobs WHERE job_id >= 1000"
        jobs = f"SELECT proc_name::text, count(*) {ours} GROUP BY 1 ORDER BY 1"
        expected = [("policy_compression", 6), ("policy_refresh_continuous_aggregate", 3), ("policy_retention", 5)]
        assert rows(database, jobs) == expected
        owners = "SELECT DISTINCT rolcanlogin FROM timescaledb_information.jobs JOIN pg_roles ON pg_roles.oid = owner"
        assert rows(database, owners) == [(True,)]
        for (job,) in rows(database, f"SELECT job_id {ours}"):
            database.execute(f"CALL run_job({job})")
    else:
        assert rows(database, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'monitor_owner'") == [(False,)]


def test_what_is_older_than_an_age_can_be_dropped(database: psycopg.Connection[Any]) -> None:
    insert_reading(database, "2026-01-01T12:00:00Z", "t:0:1")
    insert_reading(database, datetime.now(UTC).isoformat(), "t:0:2")
    insert_reading(database, "no time", "t:0:3")
    compress(database)
    assert rows(database, "SELECT drop_older_than('1 day', 'sensor_readings')") == [(1,)]
    assert rows(database, "SELECT drop_older_than('1 day', 'readings_rejects')") == [(0,)]
    assert rows(
        database, "SELECT origin FROM sensor_readings UNION SELECT origin FROM readings_rejects ORDER BY 1"
    ) == [
        ("t:0:2",),
        ("t:0:3",),
    ]
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        database.execute("SELECT drop_older_than('1 day', 'pg_class')")


@pytest.mark.parametrize("age", ["-1 day", "1 month -40 days"])
def test_an_age_below_zero_drops_nothing(database: psycopg.Connection[Any], age: str) -> None:
    insert_reading(database, NOON, "t:0:1")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="an age is not negative"):
        database.execute(f"SELECT drop_older_than('{age}', 'sensor_readings')")
    assert rows(database, "SELECT origin FROM sensor_readings") == [("t:0:1",)]


def test_alerts_that_are_dropped_leave_nothing_behind(database: psycopg.Connection[Any]) -> None:
    database.execute(ALERTS)
    assert rows(database, "SELECT drop_older_than('1 day', 'alerts'), count(*) FROM alerts_unended") == [(0, 2)]
    assert rows(database, "SELECT drop_older_than('0', 'alerts')") == [(2,)]
    assert rows(database, "SELECT FROM alerts_unended") == []


@pytest.mark.parametrize("role", ["alert_writer", "monitor_user"])
def test_only_the_owner_may_drop(database: psycopg.Connection[Any], role: str) -> None:
    database.execute(f"SET ROLE {role}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute("SELECT drop_older_than('1 day', 'alerts')")


def test_everything_belongs_to_the_owner(database: psycopg.Connection[Any]) -> None:
    ours = """
        SELECT relname::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relowner <> 'monitor_owner'::regrole AND relname !~ 'yoyo'
        UNION ALL
        SELECT proname::text FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proowner <> 'monitor_owner'::regrole
            AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
    """
    assert rows(database, ours) == []
