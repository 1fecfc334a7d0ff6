"""The archive job between a real topic and a real database."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from fleetpulse.database.migrate import migrate
from fleetpulse.windows.tumbling import Aggregate, Total, to_json
from tests.e2e.support.archives import Archive
from tests.e2e.support.databases import fresh_database
from tests.e2e.support.embedded import EmbeddedStack
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

NOON = "2026-01-01T12:00:00.000Z"


def alert(device: int, revision: int = 1, **changes: Any) -> bytes:
    fields = {
        "alert_id": str(uuid.uuid5(uuid.NAMESPACE_DNS, str(device))),
        "revision": revision,
        "state": "open" if revision == 1 else "recovered",
        "rule_id": "inactivity",
        "kind": "inactivity",
        "severity": "critical",
        "device_id": f"d{device}",
        "site": None,
        "metric": None,
        "value": 61.2,
        "unit": "s",
        "limit": 60.0,
        "opened_at": NOON,
        "changed_at": NOON,
        "detected_at": NOON,
        "summary": f"d{device} has been silent for 61.2 s",
        "evidence": {"silent_ms": 61200},
        "device-id": f"d{device}",
        "latest-event-time": 1767225628800,
    }
    return json.dumps(fields | changes).encode()


RUBBISH = [
    b"rubbish",
    b"",
    None,
    b"\xff\xfe{}",
    b"[1]",
    b"{",
    b"{}",
    b"null",
    b"a\x00b",
    b"[" * 100_000,
    b"\xef\xbb\xbf" + alert(1),
    alert(1, state="closed"),
    alert(1, summary={"not": "text"}),
    alert(1, value=float("nan")),
    alert(1, evidence="no object"),
]


@pytest.fixture
def archive(stack: EmbeddedStack) -> Iterator[Archive]:
    with fresh_database(stack.database_dsn) as dsn:
        migrate(dsn)
        yield Archive(stack, dsn)


def test_all_that_is_on_the_topic_is_in_the_tables_once_even_when_read_again(archive: Archive) -> None:
    archive.write(
        alert(1), *RUBBISH, alert(1), alert(1, 2), alert(2), alert(2), alert(3, summary="a\x00b \\u0000 \\\x00")
    )
    with archive.running():
        archive.wait_for(alerts=4, rejects=len(RUBBISH))
    archive.write(alert(4), RUBBISH[0])
    with archive.running():
        archive.wait_for(alerts=5, rejects=len(RUBBISH) + 1)
    current = archive.query("SELECT device_id, revision, state FROM alerts_current ORDER BY device_id")
    assert current == [("d1", 2, "recovered"), ("d2", 1, "open"), ("d3", 1, "open"), ("d4", 1, "open")]
    assert archive.query("SELECT summary FROM alerts WHERE device_id = 'd3'") == [("ab \\u0000 \\",)]
    assert archive.query("SELECT value, \"limit\", evidence ->> 'silent_ms' FROM alerts LIMIT 1") == [
        (61.2, 60.0, "61200")
    ]


def test_what_is_rejected_says_where_it_was_read(archive: Archive) -> None:
    archive.write(alert(1), b"rubbish")
    with archive.running():
        archive.wait_for(alerts=1, rejects=1)
    [(origin, unparsed, reason)] = archive.query("SELECT origin, unparsed, reason FROM alerts_rejects")
    assert (origin, unparsed, reason) == (f"{archive.topic}:0:1", "rubbish", "not a JSON object")


def aggregate(device: str, **changes: Any) -> bytes:
    total = Total(count=2, sum=43.0, min=21.0, max=22.0, last=22.0, p95=22.0)
    record = to_json(Aggregate(device, None, "temperature_c", 1_767_268_800_000, 60_000, total))
    return json.dumps(json.loads(record) | changes).encode()


def readings(first: int, count: int) -> list[bytes]:
    """Records of all dialects in turn; each tells its number by its temperature, or else by its time."""
    dialects = (
        '{{"device_id":"gateway-{n}","ts":{t},"temperature_c":{n}.5,"humidity":40.0}}',
        (
            '{{"sensor_id":"sensor-{n}","timestamp":{t},"sensor_type":"temperature","value":{n}.5,"location":'
            '{{"factory_section":"hall é","machine_id":"m1","zone":"z1"}}}}'
        ),
        '{{"device_id":"typed-{n}","ts":{t},"event_type":"custom","payload":{{"name":"noise","value":{n}.5}}}}',
        '{{"device-id":"monitor-{n}","time":{t},"event-id":"e{n}"}}',
    )
    return [dialects[n % 4].format(n=n, t=1_767_268_800_000 + n).encode() for n in range(first, first + count)]


def test_aggregates_and_readings_are_in_their_tables_once_even_when_read_again(archive: Archive) -> None:
    kinds = "aggregates,readings"
    bad = [b"rubbish", b"", None, b"\xff\xfe{}", b"{}", b"a\x00b", aggregate("d1", count=0), aggregate("d1", sum="x")]
    nul = json.dumps({"device_id": "d\x00", "temperature_c": 1.0}).encode()
    with archive.running(kinds):
        archive.write(aggregate("d1"), *bad, aggregate("d1"), aggregate("d\x002"), topic=archive.aggregates_topic)
        archive.write(*readings(0, 4), b"rubbish", b"", None, nul, *readings(4, 4), topic=archive.readings_topic)
        archive.wait_for_rows(aggregates=2, aggregates_rejects=len(bad), sensor_readings=8, readings_rejects=0)
    archive.write(aggregate("d3"), topic=archive.aggregates_topic)
    archive.write(*readings(0, 1), topic=archive.readings_topic)
    with archive.running(kinds):
        archive.wait_for_rows(aggregates=3, aggregates_rejects=len(bad), sensor_readings=9, readings_rejects=0)
    assert archive.query("SELECT device_id FROM aggregates ORDER BY 1") == [("d1",), ("d2",), ("d3",)]
    columns = "device_id, site, machine, zone, temperature_c, humidity, metrics ->> 'noise'"
    assert archive.query(f"SELECT {columns} FROM sensor_readings WHERE device_id ~ '-[1-4]$' ORDER BY time") == [
        ("sensor-1", "hall é", "m1", "z1", 1.5, None, None),
        ("typed-2", None, None, None, None, None, "2.5"),
        ("monitor-3", None, None, None, None, None, None),
        ("gateway-4", None, None, None, 4.5, 40.0, None),
    ]


def test_a_database_that_was_away_misses_nothing_and_no_order(archive: Archive, stack: EmbeddedStack) -> None:
    with archive.running("alerts,readings") as job:
        archive.write(*(alert(device) for device in range(4_000)))
        archive.write(*readings(0, 5_000), topic=archive.readings_topic)
        wait_until("the first alerts", lambda: archive.query("SELECT count(*) > 0 FROM alerts") == [(True,)])
        with stack.stopped("postgres"):
            archive.write(*(alert(device, 2) for device in range(4_000)), b"rubbish")
            archive.write(*(alert(device, revision) for device in range(4_000, 5_000) for revision in (1, 2)))
            archive.write(*readings(5_000, 5_000), topic=archive.readings_topic)
            wait_until("the job to have met its absence", lambda: archive.restarts(job) >= 1)
        stack.wait_until_ready()
        archive.wait_for_rows(alerts=10_000, alerts_rejects=1, sensor_readings=10_000, readings_rejects=0)
    [(devices, places, last)] = archive.query(
        "SELECT count(DISTINCT device_id), count(DISTINCT origin), max(temperature_c) FROM sensor_readings"
    )
    assert (devices, places, last) == (10_000, 10_000, 9_997.5)
    [(pairs, in_order)] = archive.query(
        "SELECT count(*), bool_and(opened.stored_at <= ended.stored_at)"
        " FROM alerts AS opened JOIN alerts AS ended USING (time, alert_id)"
        " WHERE (opened.revision, ended.revision) = (1, 2)"
    )
    assert (pairs, in_order) == (5_000, True)
    assert archive.query("SELECT count(*) FROM alerts_open") == [(0,)]
