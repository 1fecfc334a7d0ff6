"""A value that does not move."""

from tests.unit.fleetpulse.rules.timelines import judged, temperatures


def test_stuck_opens_once_a_value_has_not_moved_for_long():
    rule = {"kind": "stuck", "id": "flat", "metric": "temperature_c", "for": "20s", "tolerance": 0.15}
    told = temperatures((0, 20), (10, 20.05), (20, 20.1), (30, 20.1), (40, 20.2))
    assert judged([rule], told) == [(20, "d1", "open", "warning", "flat"), (40, "d1", "recovered", "warning", "flat")]
