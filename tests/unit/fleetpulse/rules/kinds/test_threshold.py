"""A value beyond limits, with hysteresis and after a time."""

from tests.unit.fleetpulse.rules.timelines import HOT, T0, judged, rows, temperatures, watch


def test_a_limit_is_strict_and_severity_follows_the_value():
    #  s   0   10    20   30   40   50
    #  °C 40   41    50   51   45   40
    told = temperatures((0, 40), (10, 41), (20, 50), (30, 51), (40, 45), (50, 40))
    assert judged([HOT], told) == [
        (10, "d1", "open", "warning", "hot"),
        (30, "d1", "updated", "critical", "hot"),
        (40, "d1", "updated", "warning", "hot"),
        (50, "d1", "recovered", "warning", "hot"),
    ]


def test_hysteresis_keeps_a_level_until_the_value_is_back_far_enough():
    rule = HOT | {"hysteresis": 2}
    told = temperatures((0, 51), (1, 49), (2, 48), (3, 39), (4, 38))
    assert judged([rule], told) == [
        (0, "d1", "open", "critical", "hot"),
        (2, "d1", "updated", "warning", "hot"),
        (4, "d1", "recovered", "warning", "hot"),
    ]


def test_a_level_counts_once_it_has_lasted():
    rule = HOT | {"for": "10s"}
    told = temperatures((0, 41), (5, 39), (6, 41), (12, 55), (16, 55), (22, 55), (30, 30))
    assert judged([rule], told) == [
        (16, "d1", "open", "warning", "hot"),
        (22, "d1", "updated", "critical", "hot"),
        (30, "d1", "recovered", "critical", "hot"),
    ]


def test_metrics_without_a_name_of_their_own_are_judged_too():
    rule = {"kind": "threshold", "id": "air", "metric": "co2", "above": {"critical": 1000}}
    told = [("d1", 0, {"co2": 900.0}), ("d1", 1, {"co2": 1100.0}), ("d1", 2, {"temperature_c": 1.0})]
    assert judged([rule], told) == [(1, "d1", "open", "critical", "air")]


def test_an_alert_says_what_it_rests_on():
    (opened,) = watch(HOT | {"for": "2s"}).advance(rows(*temperatures((0, 41.5), (2, 42.5))), T0 + 2_000)
    assert (opened.value, opened.unit, opened.limit, opened.metric) == (42.5, "°C", 40, "temperature_c")
    assert opened.evidence == {"since_ms": T0, "for_ms": 2000, "recent": ((T0, 41.5), (T0 + 2000, 42.5))}
    assert opened.extra == {"rule_version": 1}
    assert opened.summary == "d1: temperature_c is 42.5 °C, above 40 °C, for 2 s."
