"""A value that changes too fast."""

from tests.unit.fleetpulse.rules.timelines import judged, temperatures


def test_rate_is_told_per_period_up_and_down():
    rule = {"kind": "rate", "id": "jump", "metric": "temperature_c", "above": {"critical": 60}, "per": "1m"}
    told = temperatures((0, 20), (10, 30), (20, 41), (20, 41), (30, 30), (40, 30))
    assert judged([rule], told) == [(20, "d1", "open", "critical", "jump"), (40, "d1", "recovered", "critical", "jump")]
