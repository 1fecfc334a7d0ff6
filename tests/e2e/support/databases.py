"""Databases for tests: each its own, on a server they share."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

# Two open alerts, and a row that is not an alert.
ALERTS = """
INSERT INTO alerts_ingest (
    alert_id, revision, state, rule_id, kind, severity, device_id, opened_at, changed_at, detected_at, summary, evidence
) SELECT gen_random_uuid(), 1, state, 'r', 'k', 'critical', 'd1', now(), now(), now(), 's', '{"n": 1}'
FROM unnest(ARRAY['open', 'updated', 'loud']) AS state
"""


@contextmanager
def fresh_database(server: str, like: str | None = None) -> Iterator[str]:
    """A database, empty or as the one named `like`, dropped at the end.

    Gives the connection string of the superuser that `server` names.
    """
    name = f"test_{uuid.uuid4().hex}"
    made = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if like is not None:
        made += sql.SQL(" TEMPLATE {}").format(sql.Identifier(like))
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(made)
    try:
        yield make_conninfo(server, dbname=name)
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def rows(database: psycopg.Connection[Any], query: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    return database.execute(query).fetchall()


def hypertables(database: psycopg.Connection[Any]) -> set[str]:
    """The tables that TimescaleDB keeps in chunks by time; none where it is not."""
    if not rows(database, "SELECT FROM pg_extension WHERE extname = 'timescaledb'"):
        return set()
    return {name for (name,) in rows(database, "SELECT hypertable_name FROM timescaledb_information.hypertables")}


def compress(database: psycopg.Connection[Any]) -> None:
    """What TimescaleDB's policies do when rows have become old enough: compress all there are. Else nothing."""
    for table in hypertables(database):
        database.execute(
            sql.SQL("SELECT compress_chunk(chunk) FROM show_chunks({}) AS chunk").format(sql.Literal(table))
        )


def insert_reading(database: psycopg.Connection[Any], time: str, origin: str, **values: Any) -> None:
    """Insert a reading of d1 as the writer does."""
    given = {"time": time, "device_id": "d1", "site": "hall 1", "origin": origin} | values
    with database.transaction():
        database.execute("SET LOCAL ROLE alert_writer")
        database.execute(
            f"INSERT INTO readings_ingest ({', '.join(given)}) VALUES ({', '.join(['%s'] * len(given))})",
            [str(value) for value in given.values()],
        )
