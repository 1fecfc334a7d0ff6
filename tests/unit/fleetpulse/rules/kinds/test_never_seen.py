"""Devices that must report."""

from fleetpulse.inactivity.timeouts import Silences
from fleetpulse.rules.kinds.never_seen import describe_absence
from tests.unit.fleetpulse.rules.timelines import version


def test_of_several_rules_for_a_device_the_first_counts():
    first = {"kind": "never_seen", "id": "first", "devices": ["gw-1"], "within": "5m"}
    second = {"kind": "never_seen", "id": "second", "devices": ["gw-1", "gw-2"], "within": "9m"}
    expected = Silences(version(first, second), 60_000).expected
    assert {device: silence.rule_id for device, silence in expected.items()} == {"gw-1": "first", "gw-2": "second"}


def test_an_alert_says_from_when_on_a_device_was_expected():
    said = describe_absence("gw-1", 330, 300, "2026-01-01T00:00:00.000Z")
    assert said == (
        "gw-1 has never been heard: it was to report within 300 s from 2026-01-01T00:00:00.000Z on, "
        "and 330 s have passed."
    )
