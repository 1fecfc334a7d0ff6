"""Timeouts of classes of devices."""

import pytest

from fleetpulse.alerts import AlertState
from fleetpulse.inactivity.timeouts import Silences
from fleetpulse.rules.kinds.inactivity import describe_end, describe_silence, silence_checks
from tests.unit.fleetpulse.rules.timelines import version

METERS = {"kind": "inactivity", "id": "meters", "timeout": "25h", "scope": {"devices": ["meter-*"]}}
REST = {"kind": "inactivity", "id": "rest", "timeout": "5m", "severity": "warning"}


def test_the_first_rule_for_a_device_counts():
    silences = Silences(version(METERS, REST), 60_000)
    assert [silences.of(device).rule_id for device in ("meter-1", "pump-1")] == ["meters", "rest"]
    assert Silences(version(METERS), 60_000).of("pump-1").timeout_ms == 60_000


def test_an_alert_says_how_long_it_was_silent():
    at = "2026-01-01T00:01:30.000Z"
    assert describe_silence("d1", 65.5, 60, at) == f"d1 has been silent for 66 s: it was last seen at {at}."
    assert describe_silence("d1", 60.001, 60, at) == f"d1 has been silent for 60.001 s: it was last seen at {at}."
    assert describe_end("d1", AlertState.RECOVERED, 90, 60, at) == (
        f"d1 is back: it spoke again at {at} after 90 s of silence."
    )


REVISION = {
    "opened_at": "2026-01-01T00:01:30.000Z",
    "changed_at": "2026-01-01T00:02:00.000Z",
    "state": "recovered",
    "value": 70.0,
    "limit": 60.0,
    "evidence": {
        "latest_event_time_ms": 1_767_225_620_000,
        "silent_ms": 70_000,
        "seen_at_ms": 1_767_225_720_000,
    },
}


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, [True, True]),
        ({"limit": 70.0}, [False, True]),
        ({"value": 71.0}, [False, True]),
        ({"changed_at": "2026-01-01T00:02:01.000Z"}, [True, False]),
        ({"state": "cancelled"}, [True, False]),
    ],
)
def test_evidence_is_checked_by_its_own_numbers(change, holds):
    assert [check.holds for check in silence_checks(REVISION | change)] == holds
