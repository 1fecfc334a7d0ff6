"""How the alerts of an ended demo are closed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.cli.main import fleetpulse
from fleetpulse.stack.demo.ending import closing
from fleetpulse.stack.demo.starting import only_one
from fleetpulse.stack.demo.topics import DemoTopics, demos
from fleetpulse.stack.layout import Layout

ENDED_MS = 1_767_268_800_000
OPENED = {
    "alert_id": "a1",
    "revision": 1,
    "state": "open",
    "device_id": "d1",
    "opened_at": "2026-01-01T11:00:00.000Z",
    "changed_at": "2026-01-01T11:00:00.000Z",
    "summary": "d1 is hot.",
}


def revision(number: int, state: str, **changes: str) -> dict[str, Any]:
    return OPENED | {"revision": number, "state": state} | changes


@pytest.mark.parametrize("state", ["open", "updated"])
def test_an_alert_that_lasts_gets_a_last_revision(state: str) -> None:
    *kept, last = closing([revision(2, state), OPENED], ENDED_MS)
    assert kept == [OPENED, revision(2, state)]
    assert last == OPENED | {
        "revision": 3,
        "state": "cancelled",
        "changed_at": "2026-01-01T12:00:00.000Z",
        "detected_at": "2026-01-01T12:00:00.000Z",
        "summary": "d1: the demo ended while this alert was open.",
    }


@pytest.mark.parametrize("state", ["recovered", "cancelled", "expired"])
def test_an_alert_whose_end_was_not_stored_gets_that_end(state: str) -> None:
    assert list(closing([OPENED, revision(2, state)], ENDED_MS)) == [OPENED, revision(2, state)]


def test_an_alert_does_not_end_before_its_last_change() -> None:
    later = revision(2, "updated", changed_at="2026-01-01T12:00:01.000Z")
    assert list(closing([OPENED, later], ENDED_MS))[-1]["changed_at"] == "2026-01-01T12:00:01.000Z"


def test_demos_are_found_by_the_topics_that_they_left() -> None:
    one, two = (DemoTopics.begun(datetime(2026, 1, day, tzinfo=UTC)) for day in (1, 2))
    left = [topic.name for demo in (two, one) for topic in demo.all]
    assert demos([*left, "alerts", "demo-of-mine.alerts", "my-demo-20260101-000000.alerts"]) == [one.demo, two.demo]


def test_a_second_demo_in_a_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with only_one(Layout(tmp_path)):
        assert run(fleetpulse, ["demo", "--dir", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: a demo runs already in {tmp_path}: end it with Ctrl-C")
    assert error.count("\n") == 1
