"""The archive job between a real topic and a real database."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from database.migrate import migrate
from tests.e2e.archives import COUNTS, Archive
from tests.e2e.databases import fresh_database
from tests.e2e.embedded import EmbeddedStack
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


def test_a_database_that_was_away_misses_nothing(archive: Archive, stack: EmbeddedStack) -> None:
    with archive.running():
        archive.write(*(alert(device) for device in range(5_000)))
        wait_until("the first alerts", lambda: archive.query(COUNTS)[0][0] > 0, 120)
        stack.kill("postgres")
        archive.write(*(alert(device) for device in range(5_000, 10_000)))
        stack.wait_until_ready()
        archive.wait_for(alerts=10_000, rejects=0)
