"""The queries of the README, on rows whose answers are known."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.e2e.support.databases import rows

pytestmark = pytest.mark.e2e

README = (Path(__file__).resolve().parents[3] / "README.md").read_text()
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
# device, minute in which it opened, minute in which it changed, state; the first row of a device opens its alert
REVISIONS = [
    ("silent", 0, 0, "open"),
    ("worse", 1, 1, "open"),
    ("back", 2, 2, "open"),
    ("mistaken", 3, 3, "open"),
    ("worse", 1, 20, "updated"),
    ("mistaken", 3, 3, "cancelled"),
    ("back", 2, 30, "recovered"),
    *((f"brief-{n:02}", n, n, state) for n in range(4, 12) for state in ("open", "recovered")),
]


def queries() -> list[str]:
    """The statements in the README's blocks of SQL."""
    blocks = re.findall(r"^```sql\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return [statement.strip() for block in blocks for statement in block.split(";") if statement.strip()]


@pytest.fixture
def filled(database: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    revisions: dict[str, int] = {}
    for device, opened, changed, state in REVISIONS:
        revisions[device] = revisions.get(device, 0) + 1
        opened_at, changed_at = (NOON + timedelta(minutes=minute) for minute in (opened, changed))
        database.execute(
            "INSERT INTO alerts (time, alert_id, revision, state, rule_id, kind, severity, device_id, opened_at, "
            "changed_at, detected_at, summary, evidence) VALUES (%(opened)s, md5(%(device)s)::uuid, %(revision)s, "
            "%(state)s, 'r', 'k', 'warning', %(device)s, %(opened)s, %(changed)s, %(changed)s, 's', '{}')",
            {
                "opened": opened_at,
                "changed": changed_at,
                "device": device,
                "revision": revisions[device],
                "state": state,
            },
        )
    database.execute("SET ROLE monitor_user")
    return database


def test_the_newest_revisions_come_first_however_long_ago_their_alert_was_opened(
    filled: psycopg.Connection[Any],
) -> None:
    newest = rows(filled, queries()[0])
    assert [(row[1], row[2]) for row in newest[:4]] == [
        ("back", "recovered"),
        ("worse", "updated"),
        ("brief-11", "recovered"),
        ("brief-11", "open"),
    ]
    assert len(newest) == 10


def test_the_open_alerts_are_all_that_have_not_ended(filled: psycopg.Connection[Any]) -> None:
    assert [row[0] for row in rows(filled, queries()[1])] == ["silent", "worse"]


def test_every_block_of_sql_is_tested_here() -> None:
    assert len(queries()) == 2
