"""Brings a database to the newest schema."""

from importlib.resources import as_file, files
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import MigrationList, default_migration_table

from fleetpulse.errors import ConfigurationError, FleetpulseError

# Any number that all runs share. Held by the session, so it is free again however a run ends; yoyo's own lock is a row,
# which a killed run leaves behind.
_ADVISORY_LOCK = 0x666C65657470756C

# While a migration waits for a lock, all writers wait behind it.
_LOCK_TIMEOUT_S = 30

# TimescaleDB's views by time that their own jobs have not begun with, each after what it is made of.
_NEVER_REFRESHED = """
SELECT jobs.hypertable_name::text
FROM timescaledb_information.jobs
LEFT JOIN timescaledb_information.job_stats USING (job_id)
WHERE proc_name = 'policy_refresh_continuous_aggregate' AND coalesce(total_runs, 0) = 0
ORDER BY job_id
"""


def migrate(dsn: str) -> list[str]:
    """Apply every migration that `dsn` has not seen, in order, once each. Of two runs at once the second waits.

    Args:
        dsn: PostgreSQL connection URI or keyword string of a role that may create roles and objects.

    Returns:
        The names applied now; empty when the database was up to date.

    Raises:
        ConfigurationError: the database cannot be reached.
        FleetpulseError: it refuses a migration, which is rolled back whole.
    """
    try:
        with (
            psycopg.connect(dsn, autocommit=True) as guard,
            as_file(files("fleetpulse.database") / "migrations") as folder,
        ):
            guard.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_LOCK])
            applied = _apply(dsn, read_migrations(str(folder)))
            _fill_views_by_time(guard)
            return applied
    except psycopg.errors.LockNotAvailable as waited:
        raise FleetpulseError(
            "cannot migrate the database: a table is held by a transaction that has not ended within"
            f" {_LOCK_TIMEOUT_S} s; end it (pg_stat_activity, oldest xact_start) and migrate again"
        ) from waited
    except psycopg.OperationalError as failed:
        raise ConfigurationError(f"--database.url: cannot migrate the database: {failed}") from failed
    except psycopg.Error as failed:
        raise FleetpulseError(f"cannot migrate the database: {failed}") from failed


def _apply(dsn: str, migrations: MigrationList) -> list[str]:
    backend = _backend(dsn)
    try:
        pending = backend.to_apply(migrations)
        backend.apply_migrations(pending)
        return [migration.id for migration in pending]
    finally:
        backend.connection.close()


def _fill_views_by_time(database: psycopg.Connection[Any]) -> None:
    """Fill the views from older rows: their own refreshes look back 29 days (0007), and take all that is
    older for done. Up to 27 days ago, so that no day is left between."""
    if database.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").fetchone() is None:
        return
    for (view,) in database.execute(_NEVER_REFRESHED).fetchall():
        refresh = sql.SQL("CALL refresh_continuous_aggregate({}, NULL, now() - INTERVAL '27 days')")
        database.execute(refresh.format(sql.Literal(view)))


class _Backend(PostgresqlPsycopgBackend):  # type: ignore[misc] # yoyo has no types
    """Each migration runs in a connection of its own."""

    def init_connection(self, connection: psycopg.Connection[Any]) -> None:
        super().init_connection(connection)
        connection.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT_S}s'")


def _backend(dsn: str) -> _Backend:
    # libpq reads the DSN (service files, sockets, several hosts), not yoyo, whose URIs know less.
    parameters = conninfo_to_dict(dsn)
    name = parameters.pop("dbname", None)
    address = DatabaseURI("postgresql+psycopg", None, None, None, None, name, parameters)
    backend = _Backend(address, default_migration_table)
    backend.init_database()
    return backend
