"""Databases for tests: each its own, on a server they share."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """An empty database, dropped at the end, as the connection string of the superuser that `server` names."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield make_conninfo(server, dbname=name)
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def rows(database: psycopg.Connection[Any], query: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    return database.execute(query).fetchall()
