"""A value beyond limits, with hysteresis and after a time."""

import json

from fleetpulse.alerts import to_json
from fleetpulse.backtest.evidence import checks
from tests.unit.fleetpulse.rules.timelines import HOT, T0, judged, rows, temperatures, version, watch


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


RANGE = {
    "kind": "threshold",
    "id": "range",
    "metric": "temperature_c",
    "above": {"warning": 30, "critical": 40},
    "below": {"warning": 20, "critical": 10},
    "hysteresis": 3,
}


def changes(rule: dict, *values: tuple[float, float]) -> list[tuple]:
    """(seconds, state, severity, limit, sentence) of each revision."""
    revisions = watch(rule).advance(rows(*temperatures(*values)), T0 + round(values[-1][0] * 1000))
    return [
        ((r.changed_at_ms - T0) / 1000, str(r.state), r.severity, r.limit, r.summary.partition(": ")[2])
        for r in revisions
    ]


def test_hysteresis_of_one_side_does_not_hold_the_level_of_the_other():
    assert changes(RANGE, (0, 25), (10, 31), (20, 22), (30, 22), (40, 19), (50, 28), (60, 23)) == [
        (10, "open", "warning", 30, "temperature_c is 31 °C, above 30 °C."),
        (20, "recovered", "warning", 30, "temperature_c is back within its limits at 22 °C after 10 s."),
        (40, "open", "warning", 20, "temperature_c is 19 °C, below 20 °C."),
        (50, "recovered", "warning", 20, "temperature_c is back within its limits at 28 °C after 10 s."),
    ]


def test_a_band_narrower_than_twice_the_hysteresis_ends_its_alerts():
    rule = RANGE | {"hysteresis": 6}
    assert [
        change[:2] for change in changes(rule, (0, 31), (1, 24.5), (2, 24), (3, 26), (4, 19), (5, 25), (6, 26))
    ] == [
        (0, "open"),
        (2, "recovered"),
        (4, "open"),
        (6, "recovered"),
    ]


def test_a_value_that_jumps_to_the_other_side_keeps_one_alert_with_the_limit_of_its_side():
    assert changes(RANGE, (0, 31), (1, 19), (2, 9), (3, 41), (4, 19), (5, 24)) == [
        (0, "open", "warning", 30, "temperature_c is 31 °C, above 30 °C."),
        (2, "updated", "critical", 10, "temperature_c is 9 °C, below 10 °C."),
        (4, "updated", "warning", 20, "temperature_c is 19 °C, below 20 °C."),
        (5, "recovered", "warning", 20, "temperature_c is back within its limits at 24 °C after 5 s."),
    ]


def test_a_value_that_jumps_to_the_other_side_has_to_last_there():
    assert changes(RANGE | {"for": "2s"}, (0, 31), (2, 31), (3, 19), (5, 19)) == [
        (2, "open", "warning", 30, "temperature_c is 31 °C, above 30 °C, for 2 s."),
        (3, "recovered", "warning", 30, "temperature_c is 19 °C, no longer above 30 °C after 1 s."),
        (5, "open", "warning", 20, "temperature_c is 19 °C, below 20 °C, for 2 s."),
    ]


def test_a_limit_that_both_sides_share_is_named_by_the_side_of_the_value():
    rule = RANGE | {"above": {"warning": 20}, "below": {"warning": 20}, "hysteresis": 0}
    assert [change[-1] for change in changes(rule, (0, 21), (1, 20), (2, 19))] == [
        "temperature_c is 21 °C, above 20 °C.",
        "temperature_c is back within its limits at 20 °C after 1 s.",
        "temperature_c is 19 °C, below 20 °C.",
    ]
    told = changes(rule | {"for": "2s"}, (0, 21), (2, 21), (3, 19), (5, 19), (6, 21))
    assert [change[-1] for change in told if change[1] == "recovered"] == [
        "temperature_c is 19 °C, no longer above 20 °C after 1 s.",
        "temperature_c is 21 °C, no longer below 20 °C after 1 s.",
    ]


def test_a_value_that_opens_an_alert_within_the_hysteresis_is_told_with_the_one_that_began_it():
    told = changes(RANGE | {"for": "2s"}, (0, 31), (1, 29), (2, 28), (3, 26))
    assert told[0] == (
        2,
        "open",
        "warning",
        30,
        "temperature_c was 31 °C, above 30 °C, at 2026-01-01T00:00:00.000Z; it is now 28 °C, not yet 3 below.",
    )
    told = changes(RANGE | {"for": "2s"}, (0, 19), (1, 21), (2, 22.9996), (3, 25))
    assert told[0][-1] == (
        "temperature_c was 19 °C, below 20 °C, at 2026-01-01T00:00:00.000Z; it is now 22.9996 °C, not yet 3 above."
    )


def test_an_alert_that_falls_back_within_the_hysteresis_is_told_with_the_value_that_began_its_level():
    told = changes(RANGE, (0, 32), (1, 41), (2, 28))
    assert told[-1][1:3] == ("updated", "warning")
    assert told[-1][-1] == (
        "temperature_c was 32 °C, above 30 °C, at 2026-01-01T00:00:00.000Z; it is now 28 °C, not yet 3 below."
    )


def test_the_value_that_began_a_level_is_evidence_and_is_checked():
    rule = RANGE | {"for": "2s"}
    opened = watch(rule).advance(rows(*temperatures((0, 31), (2, 28))), T0 + 2_000)[0]
    assert opened.evidence["began"] == (T0, 31)
    fields = json.loads(to_json(opened, 0))
    (known,) = version(rule).rules.rules
    claims = [(check.claim, check.holds) for check in checks(fields, known, None)][-2:]
    assert claims == [
        ("the value 28 is within the hysteresis of the limit 30", True),
        ("the value 31 that began it was beyond that limit", True),
    ]
    changed = fields | {"evidence": fields["evidence"] | {"began": [T0, 29]}}
    assert not all(check.holds for check in checks(changed, known, None))
