"""Fixtures of the tests that run on the embedded stack."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

pytest.register_assert_rewrite("tests.e2e.support.monitoring")

from fleetpulse.database.migrate import migrate  # noqa: E402 after what must come first
from tests.e2e.support.databases import fresh_database  # noqa: E402
from tests.e2e.support.embedded import EmbeddedStack, running_stack  # noqa: E402

collect_ignore = [] if shutil.which("vector") else ["observability/test_vector.py"]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """A stack that all tests of the run share; tests make topics and databases of their own in it."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> str:
    """Connection string of a superuser. FLEETPULSE_TEST_POSTGRES names a server other than the embedded one."""
    return os.environ.get("FLEETPULSE_TEST_POSTGRES") or str(request.getfixturevalue("stack").database_dsn)


@pytest.fixture
def empty_database(server: str) -> Iterator[str]:
    with fresh_database(server) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def migrated(server: str) -> Iterator[str]:
    """Name of a migrated database without rows. Copies of it cost less than migrations."""
    with fresh_database(server) as dsn:
        migrate(dsn)
        name = str(conninfo_to_dict(dsn)["dbname"])
        with psycopg.connect(server, autocommit=True) as admin:
            # TimescaleDB's own workers would stay in it, and nobody may be in what is copied.
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
            admin.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name])
        yield name


@pytest.fixture
def database(server: str, migrated: str) -> Iterator[psycopg.Connection[Any]]:
    with fresh_database(server, migrated) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        yield connection
