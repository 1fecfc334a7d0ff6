"""A value far from what is usual for its device."""

import random

from tests.unit.fleetpulse.rules.timelines import judged, temperatures


def test_a_deviation_is_judged_once_warm_and_is_not_made_usual_by_one_outlier():
    rule = {"kind": "deviation", "id": "odd", "metric": "temperature_c", "sigmas": {"warning": 4, "critical": 8}}
    rng = random.Random(1)
    told = temperatures(*((s, 20 + rng.gauss(0, 0.5)) for s in range(200)), (200, 30), (201, 20), (202, 30), (203, 20))
    told = [*temperatures((0.5, 90), device="cold"), *told]
    assert judged([rule], told) == [
        (200, "d1", "open", "critical", "odd"),
        (201, "d1", "recovered", "critical", "odd"),
        (202, "d1", "open", "critical", "odd"),
        (203, "d1", "recovered", "critical", "odd"),
    ]


def test_a_value_that_is_beyond_all_bounds_does_not_blind_a_rule_for_ever():
    rule = {"kind": "deviation", "id": "odd", "metric": "temperature_c", "sigmas": {"warning": 5}, "warm_up": 5}
    rng = random.Random(3)
    usual = [(s, 20 + rng.random()) for s in range(1, 60)]
    assert judged([rule], temperatures((0, 1e200), *usual, (60, 90)))[-1] == (60, "d1", "open", "warning", "odd")
