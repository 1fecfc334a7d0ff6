"""How the database comes to what dashboards ask: by an index, and never by all the rows there are."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from bench.filled import Contents, fill
from bench.measurements.queries import SAMPLES, questions
from tests.e2e.support.databases import fresh_database, hypertables, rows

pytestmark = pytest.mark.e2e

# As `python -m bench queries` has them, at a hundredth of the rows and over the same times.
SMALL = Contents(devices=100, readings=100_000, every=timedelta(seconds=100), revisions=30_000)
GROWING = {"alerts", "sensor_readings", "aggregates"}
OF_ALL = set(SAMPLES) - {"the last ten alerts"}  # they are asked of all alerts there are


@pytest.fixture(scope="module")
def filled(server: str, migrated: str) -> Iterator[psycopg.Connection[Any]]:
    with fresh_database(server, migrated) as dsn, psycopg.connect(dsn, autocommit=True) as database:
        fill(database, SMALL)
        database.execute("SET ROLE monitor_user")
        yield database


@pytest.mark.parametrize("name", sorted(questions().keys() - OF_ALL))
def test_nothing_that_grows_is_read_whole(filled: psycopg.Connection[Any], name: str) -> None:
    assert not read_whole(filled, questions()[name]) & GROWING


@pytest.mark.parametrize(
    "question",
    [
        pytest.param("SELECT max(summary) FROM alerts", id="the table"),
        pytest.param("SELECT count(device_id) FROM alerts", id="its index"),
        pytest.param("SELECT DISTINCT device_id FROM alerts ORDER BY 1 LIMIT 10", id="below a limit that sees groups"),
    ],
)
def test_a_query_that_reads_all_is_found_out(filled: psycopg.Connection[Any], question: str) -> None:
    """TimescaleDB's tables are read chunk by chunk, and it is for it to leave out those of another time."""
    assert read_whole(filled, question) & GROWING == {"alerts"} - hypertables(filled)


def test_the_first_rows_of_an_index_are_not_all_of_it(filled: psycopg.Connection[Any]) -> None:
    assert not read_whole(filled, "SELECT * FROM alerts ORDER BY changed_at DESC LIMIT 10") & GROWING


@pytest.mark.parametrize(
    ("relation", "time"), [("telemetry_raw", "ts"), ("aggregated_data", "timestamp"), ("alerts", "time")]
)
def test_what_is_asked_for_a_device_is_found_by_its_index(
    filled: psycopg.Connection[Any], relation: str, time: str
) -> None:
    latest = f"SELECT * FROM {relation} WHERE device_id = 'device-00001' ORDER BY {time} DESC LIMIT 10"
    [(plan,)] = rows(filled, f"EXPLAIN (FORMAT JSON) {latest}")
    assert re.search(r"'Index Cond': \"\(device_id = 'device-00001'", str(plan))
    assert not read_whole(filled, latest) & GROWING


def read_whole(database: psycopg.Connection[Any], question: str) -> set[str]:
    """The tables that the plan of a query reads from beginning to end, themselves or by an index."""
    [(plan,)] = rows(database, f"EXPLAIN (FORMAT JSON) {question}")
    return set(_read_whole(plan[0]["Plan"], limited=False))


def _read_whole(plan: dict[str, Any], limited: bool) -> Iterator[str]:
    kind = plan["Node Type"]
    through = kind in ("Index Scan", "Index Only Scan") and "Index Cond" not in plan
    if kind == "Seq Scan" or (through and not limited):
        yield plan["Relation Name"]
    for part in plan.get("Plans", []):
        yield from _read_whole(part, limited=kind == "Limit")
