"""What Grafana's dashboards ask a real PostgreSQL: it answers with the columns they need, and with what is so."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from fleetpulse.dashboards.render import View, render
from tests.dashboards import UIDS, Statement, statements
from tests.e2e.database.test_database_telemetry import insert
from tests.e2e.support.alert_panels import Fact, expected, shown
from tests.e2e.support.databases import fresh_database, rows

pytestmark = pytest.mark.e2e

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
DAY = (NOON - timedelta(hours=24), NOON)
QUOTES = """o'brien's "5" $1 \\ ; -- ${site} é"""
ALL = {"site": None, "device": None, "kind": None}
ONE = {"device": QUOTES, "metric": "temperature_c"}

EVERY = [pytest.param(one, id=f"{uid}-{one.name}".replace(" ", "-")) for uid in UIDS for one in statements(uid)]
NUMBERS = {"int2", "int4", "int8", "float4", "float8", "numeric"}


def at(hours: float, minutes: float = 0) -> datetime:
    """An instant, so long before noon."""
    return NOON - timedelta(hours=hours, minutes=minutes)


def lifecycle(device: str, opened: datetime, *ends: tuple[str, float], **told: Any) -> list[Fact]:
    """An alert's revisions: it opens, and so many seconds later it is something else."""
    alert_id = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{told.get('rule_id')} {device} {opened}"))
    first = Fact(alert_id, 1, "open", opened, opened, device, **told)
    later = [(state, opened + timedelta(seconds=seconds)) for state, seconds in ends]
    return [first, *(first._replace(revision=n, state=s, changed_at=c) for n, (s, c) in enumerate(later, 2))]


WARM = {"kind": "threshold", "severity": "warning", "rule_id": "warm"}
FACTS = [
    *lifecycle("d1", at(1), ("recovered", 30.5), site="north"),
    *lifecycle("d1", at(2), ("recovered", 90), site="north"),
    *lifecycle("d1", at(20, 30), site="north"),  # still open
    *lifecycle("d2", at(20, 31), ("recovered", 4000), site="south"),
    *lifecycle("d2", at(0.25), ("cancelled", 0), site="south"),
    *lifecycle(QUOTES, at(3), ("updated", 5), site="o'hare", **WARM),
    *lifecycle(QUOTES, at(3, 0.5), ("recovered", 7), ("updated", 9), site="o'hare", **WARM),
    *lifecycle("d3", at(23.99), ("expired", 604800), **WARM),  # of no site
    *lifecycle("d4", at(24), ("recovered", 1)),  # at the very beginning of the range
    *lifecycle("d5", at(0), ("recovered", 2)),  # and at its very end
    *lifecycle("d6", at(24, 1)),  # before it, and still open
    *lifecycle("d6", at(30), ("recovered", 9999)),
    *lifecycle("d7", at(-1)),  # after it
    *(fact for device in ("d9", "d8") for fact in lifecycle(device, at(2), ("recovered", 60))),  # at once
    *(fact for n in range(12) for fact in lifecycle(f"e{n:02d}", at(5, n), ("recovered", n), site="south")),
]


def store(database: psycopg.Connection[Any], facts: list[Fact]) -> None:
    """Write alerts through the door that writers use."""
    common = {"summary": "so it is", "evidence": "{}", "detected_at": NOON, "value": "1", "limit": "2", "unit": "s"}
    insert(database, "alerts_ingest", *(common | fact._asdict() | {"revision": str(fact.revision)} for fact in facts))
    assert rows(database, "SELECT count(*) FROM alerts") == [(len(facts),)]


def store_telemetry(database: psycopg.Connection[Any]) -> None:
    readings, windows = [], []
    for device, site in (("d1", "north"), (QUOTES, "o'hare"), ("d3", None)):
        for minute in range(1, 5):
            start = at(0, minute)
            measured = {"temperature_c": 20 + minute, "humidity": 40, "battery": 90 - minute, "lat": 48.1, "lon": 11.6}
            place = {"time": start, "device_id": device, "site": site, "origin": f"{device}:{minute}"}
            readings.append(place | measured | {"metrics": json.dumps({"noise": 2.5, "text": "loud"})})
            for metric in ("temperature_c", "humidity", "battery"):
                values = dict.fromkeys(("min", "max", "avg", "last", "p95"), measured[metric])
                window = {"window_start": start, "window_end": start + timedelta(minutes=1), "device_id": device}
                sums = {"metric": metric, "count": 2, "sum": 2 * measured[metric], "site": site, "origin": "t:0:1"}
                windows.append(window | values | sums)
    insert(database, "readings_ingest", *readings)
    insert(database, "aggregates_ingest", *windows)
    assert rows(database, "TABLE readings_rejects") == rows(database, "TABLE aggregates_rejects") == []
    insert(database, "alerts_ingest", {"unparsed": "rubbish", "origin": "alerts:0:1"})
    database.execute("UPDATE alerts_rejects SET rejected_at = %s", [at(1)])


@pytest.fixture(scope="module")
def seeded(server: str, migrated: str) -> Iterator[psycopg.Connection[Any]]:
    with fresh_database(server, migrated) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        store(connection, FACTS)
        store_telemetry(connection)
        connection.execute("SET ROLE monitor_user")
        yield connection


@pytest.fixture(scope="module")
def bare(server: str, migrated: str) -> Iterator[psycopg.Connection[Any]]:
    with fresh_database(server, migrated) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET ROLE monitor_user")
        yield connection


def ask(database: psycopg.Connection[Any], statement: Statement, view: View) -> tuple[dict[str, str], list[Any]]:
    """The types of the columns by name, and the rows."""
    cursor = database.execute(render(statement.sql, view))
    types = {c.name: database.adapters.types[c.type_code].name for c in cursor.description or ()}
    assert len(types) == len(cursor.description or ()), "two columns have one name"
    return types, cursor.fetchall()


def view_of(statement: Statement) -> View:
    chosen = ALL | (ONE if statement.dashboard == "device-detail" else {})
    return View(*DAY, "1m", chosen)


def check_columns(statement: Statement, types: dict[str, str]) -> None:
    """What the documentation of Grafana's PostgreSQL data source and of the visualization asks for."""
    numbers = [name for name, kind in types.items() if kind in NUMBERS and name != "time"]
    if statement.kind == "variable":
        assert list(types.values()) == ["text"]
    elif statement.kind == "annotation":
        assert {"time", "timeend", "text", "tags"} == set(types)
    elif statement.shape == "time_series":
        assert types["time"] in {"timestamptz", "numeric"}
        assert numbers
        assert {name for name in types if name not in numbers} <= {"time", "metric"}
    elif statement.kind == "stat":
        text = statement.panel["options"]["reduceOptions"]["fields"]
        assert set(types) == set(numbers) or (text == "/.*/" and list(types.values()) == ["text"])
    elif statement.kind == "bargauge":
        assert sorted(types.values()) == ["int8", "text"]
    elif statement.kind == "geomap":
        assert (types["lat"], types["lon"]) == ("float8", "float8")
    else:
        assert statement.kind == "table"
    for override in statement.panel.get("fieldConfig", {}).get("overrides", ()):
        assert override["matcher"]["options"] in types


@pytest.mark.parametrize("statement", EVERY)
def test_every_query_gives_the_columns_that_its_visualization_needs(
    seeded: psycopg.Connection[Any], statement: Statement
) -> None:
    types, found = ask(seeded, statement, view_of(statement))
    check_columns(statement, types)
    assert found, "the seeded data has something for every panel"


@pytest.mark.parametrize("statement", EVERY)
def test_every_query_has_an_answer_from_an_empty_database(bare: psycopg.Connection[Any], statement: Statement) -> None:
    types, _ = ask(bare, statement, view_of(statement))
    check_columns(statement, types)


@pytest.mark.parametrize("interval", ["500ms", "15s", "2m", "6h", "1d", "1w"])
def test_points_are_as_wide_as_grafana_asks(seeded: psycopg.Connection[Any], interval: str) -> None:
    for statement in (s for uid in UIDS for s in statements(uid) if "$__interval" in s.sql):
        found = ask(seeded, statement, View(*DAY, interval, view_of(statement).variables))[1]
        assert found, statement.name


CHOICES = [
    pytest.param({}, id="everything"),
    pytest.param({"site": ["north", "o'hare"]}, id="two sites"),
    pytest.param({"device": [QUOTES]}, id="a device with quotes"),
    pytest.param({"device": ["d1", "d2", QUOTES], "kind": ["threshold"]}, id="devices of a kind"),
    pytest.param({"site": ["' OR true --"]}, id="a site that nobody has"),
]


@pytest.mark.parametrize("choice", CHOICES)
def test_every_panel_on_alerts_shows_what_is_so(seeded: psycopg.Connection[Any], choice: dict[str, list[str]]) -> None:
    view = View(*DAY, "1m", ALL | choice)
    seeded.execute("RESET ROLE")
    try:
        assert shown(seeded, view) == expected(FACTS, view)
    finally:
        seeded.execute("SET ROLE monitor_user")


def test_a_device_s_own_dashboard_is_about_it_alone(seeded: psycopg.Connection[Any]) -> None:
    found = {s.name: ask(seeded, s, view_of(s)) for s in statements("device-detail") if s.kind != "variable"}
    assert found["Alerts in this time range"][1] == [(2,)]
    assert len(found["History of its alerts"][1]) == 5
    assert found["Place"][1] == [("o'hare",)]
    assert [row[1:] for row in found["Temperature and humidity"][1]] == [(24, 40), (23, 40), (22, 40), (21, 40)]
    assert {row[1:] for row in found["Other metrics"][1]} == {("noise", 2.5)}
    assert len(found["Where it was"][1]) == 4


def test_an_alert_is_marked_as_long_as_it_lasts_within_the_range(database: psycopg.Connection[Any]) -> None:
    rules = {
        "before": lifecycle("d1", at(6), ("recovered", 3_600)),
        "into it": lifecycle("d1", at(5), ("recovered", 7_200)),
        "through it": lifecycle("d1", at(9)),
        "within it": lifecycle("d1", at(2), ("updated", 60), ("recovered", 90)),
        "after it": lifecycle("d1", at(0.5)),
        "of another": lifecycle("d2", at(2)),
    }
    store(database, [fact._replace(rule_id=rule, kind=rule) for rule, facts in rules.items() for fact in facts])
    [marks] = [s for s in statements("device-detail") if s.kind == "annotation"]
    view = View(at(4), at(1), "1m", {"device": "d1"})
    assert [tags for *_, tags in ask(database, marks, view)[1]] == ["within it", "into it", "through it"]


def test_the_lists_of_choices_have_what_there_is(seeded: psycopg.Connection[Any]) -> None:
    lists = {(s.dashboard, s.name): ask(seeded, s, view_of(s))[1] for uid in UIDS for s in statements(uid)}
    assert lists["device-alerts", "site"] == [("north",), ("o'hare",), ("south",)]
    assert (QUOTES,) in lists["device-alerts", "device"]
    assert lists["device-alerts", "kind"] == [("inactivity",), ("threshold",)]
    assert lists["device-detail", "metric"] == [("battery",), ("humidity",), ("temperature_c",)]


def test_devices_are_listed_from_what_is_typed_on(seeded: psycopg.Connection[Any]) -> None:
    """Those that measured whenever it was, and those with an alert of the time range."""
    [devices] = [s for s in statements("device-detail") if s.name == "Devices"]
    known = sorted({fact.device_id for fact in FACTS if DAY[0] <= fact.opened_at <= DAY[1]})
    for typed in ("", "d3", "d", "e0", QUOTES[:5], QUOTES, "~"):
        found = ask(seeded, devices, View(*DAY, "1m", {"device": typed}))[1]
        assert found == [(device,) for device in known if device >= typed], typed
    early = View(at(99), at(98), "1m", {"device": ""})
    assert ask(seeded, devices, early)[1] == [("d1",), ("d3",), (QUOTES,)]


def test_the_latency_of_an_alert_is_told_stage_by_stage(database: psycopg.Connection[Any]) -> None:
    store(database, lifecycle("d1", at(1), ("recovered", 30), ("cancelled", 40)))
    database.execute(
        "UPDATE alerts SET detected_at = changed_at + INTERVAL '3 s', stored_at = changed_at + INTERVAL '5 s'"
    )
    found = {s.name: ask(database, s, view_of(s))[1] for s in statements("end-to-end-latency")}
    assert [row[:4] for row in found["Stages"]] == [
        ("event to detected", 2, 3, 3),
        ("detected to stored", 2, 2, 2),
        ("event to stored", 2, 5, 5),
    ]
    assert found["Event to stored"] == [(5, 5, 5)]
    assert [row[4:7] for row in found["Slowest alerts"]] == [(3, 2, 5)] * 2
