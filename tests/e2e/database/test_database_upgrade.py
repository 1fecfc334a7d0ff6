"""Upgrades: what was there stays, whoever writes or reads meanwhile, with TimescaleDB and without."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from yoyo import read_migrations
from yoyo.migrations import MigrationList

from fleetpulse.database.migrate import migrate
from fleetpulse.errors import FleetpulseError
from tests.e2e.support.databases import ALERTS, hypertables, insert_reading, rows
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

VIEWS = ("readings_1m", "readings_1h", "readings_1d")


def test_an_upgrade_keeps_all_there_was(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(migrate_before("0006", empty_database, monkeypatch)) == 5
    with psycopg.connect(empty_database, autocommit=True) as database:
        for minute in range(0, 180, 7):
            insert_reading(
                database, f"2025-01-01T{12 + minute // 60}:{minute % 60:02}:00Z", f"t:0:{minute}", battery=minute
            )
        for days in range(26, 32):
            insert_reading(database, (datetime.now(UTC) - timedelta(days)).isoformat(), f"t:1:{days}", battery=1)
        insert_reading(database, "no time", "t:0:999")
        database.execute("SET ROLE alert_writer")
        database.execute(ALERTS)
        window = """
            INSERT INTO aggregates_ingest (window_start, window_end, device_id, metric, count, sum, min, max, avg, last)
            VALUES ('2026-01-01T12:00Z', '2026-01-01T12:01Z', 'd1', 'battery', 1, 2, 3, 4, 5, 6)
        """
        database.execute(window)
        database.execute("RESET ROLE")
        kept = everything(database)
    assert {name: len(found) for name, found in kept.items()} == {
        "aggregates": 1,
        "aggregates_rejects": 0,
        "alerts": 2,
        "alerts_current": 2,
        "alerts_rejects": 1,
        "readings_rejects": 1,
        "sensor_readings": 32,
    }
    migrate(empty_database)
    assert migrate(empty_database) == []
    with psycopg.connect(empty_database, autocommit=True) as database:
        assert everything(database) == kept
        assert rows(database, "SELECT state FROM alerts_open ORDER BY 1") == [("open",), ("updated",)]
        run_jobs(database, "policy_refresh_continuous_aggregate")
        for view in VIEWS:
            assert rows(database, f"SELECT sum(battery_count), max(battery_max) FROM {view}") == [(32, 175.0)]
        run_jobs(database, "policy_retention")
        assert rows(database, "SELECT sum(battery_count), max(battery_max) FROM readings_1d") == [(32, 175.0)]


def test_an_upgrade_misses_no_alert_that_is_written_meanwhile(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate_before("0009", empty_database, monkeypatch)
    with (
        ThreadPoolExecutor(1) as pool,
        psycopg.connect(empty_database, autocommit=True) as looker,
        psycopg.connect(empty_database) as writer,
    ):
        writer.execute(ALERTS)
        upgrade = pool.submit(migrate, empty_database)
        waits = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        wait_until("the upgrade to wait for the writer", lambda: rows(looker, waits))
        writer.commit()
        assert upgrade.result(60) == ["0009-open-alerts", "0010-sites"]
        open_now = rows(looker, "SELECT alert_id, revision FROM alerts_open ORDER BY 1")
        assert len(open_now) == 2
        assert open_now == rows(looker, "SELECT alert_id, revision FROM alerts_current ORDER BY 1")


def test_an_upgrade_gives_up_behind_a_long_transaction_and_can_be_repeated(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate_before("0009", empty_database, monkeypatch)
    with psycopg.connect(empty_database) as writer:
        writer.execute(ALERTS)
        with monkeypatch.context() as hurried:
            hurried.setattr("fleetpulse.database.migrate._LOCK_TIMEOUT_S", 1)
            with pytest.raises(FleetpulseError, match="a transaction that has not ended within 1 s"):
                migrate(empty_database)
        writer.commit()
        assert migrate(empty_database) == ["0009-open-alerts", "0010-sites"]
        assert rows(writer, "SELECT count(*) FROM alerts_open") == [(2,)]


def migrate_before(name: str, dsn: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Apply the migrations that come before one."""

    def earlier(folder: str) -> MigrationList:
        return read_migrations(folder).filter(lambda migration: migration.id < name)

    with monkeypatch.context() as before:
        before.setattr("fleetpulse.database.migrate.read_migrations", earlier)
        return migrate(dsn)


def run_jobs(database: psycopg.Connection[Any], kind: str) -> None:
    """What TimescaleDB will do in its own time. Else nothing."""
    if hypertables(database):
        jobs = f"SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = '{kind}' ORDER BY 1"
        for (job,) in rows(database, jobs):
            database.execute(f"CALL run_job({job})")


def everything(database: psycopg.Connection[Any]) -> dict[str, list[Any]]:
    """All rows there are, by table."""
    tables = ["alerts", "alerts_current", "alerts_rejects", "sensor_readings", "readings_rejects", "aggregates"]
    return {
        table: rows(database, f"SELECT kept::text FROM {table} AS kept ORDER BY 1")
        for table in [*tables, "aggregates_rejects"]
    }
