"""A metric that is no longer reported."""

from tests.unit.fleetpulse.rules.timelines import judged


def test_missing_is_a_stale_signal_of_a_device_that_speaks():
    rule = {"kind": "missing", "id": "stale", "metric": "humidity", "for": "20s"}
    told = [("d1", 0, {"humidity": 1.0}), ("d1", 10, {}), ("d1", 20, {}), ("d1", 30, {}), ("d1", 40, {"humidity": 1.0})]
    told += [("never", 5, {}), ("never", 25, {})]
    assert judged([rule], told) == [
        (20, "d1", "open", "warning", "stale"),
        (25, "never", "open", "warning", "stale"),
        (40, "d1", "recovered", "warning", "stale"),
    ]
