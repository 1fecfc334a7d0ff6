"""A battery is a threshold below."""

from tests.unit.fleetpulse.rules.timelines import judged


def test_below_is_the_same_the_other_way_round():
    rule = {"kind": "battery", "id": "low", "below": {"warning": 20, "critical": 10}, "hysteresis": 1}
    told = [("d1", s, {"battery": v}) for s, v in [(0, 20), (1, 19), (2, 9), (3, 10.5), (4, 11), (5, 20.5), (6, 21)]]
    assert judged([rule], told) == [
        (1, "d1", "open", "warning", "low"),
        (2, "d1", "updated", "critical", "low"),
        (4, "d1", "updated", "warning", "low"),
        (6, "d1", "recovered", "warning", "low"),
    ]
