"""Conditions over values and rules."""

from tests.unit.fleetpulse.rules.timelines import BOTH, HOT, judged, temperatures


def test_a_condition_holds_when_its_parts_do_and_what_is_unknown_is_not_false():
    #  hot, humidity unknown; then humid; then dry: now it holds; then cool
    told = [
        ("d1", 0, {"temperature_c": 45.0}),
        ("d1", 1, {"humidity": 40.0}),
        ("d1", 2, {"humidity": 20.0}),
        ("d1", 3, {"temperature_c": 30.0}),
    ]
    assert [r for r in judged([HOT, BOTH], told) if r[-1] == "both"] == [
        (2, "d1", "open", "critical", "both"),
        (3, "d1", "recovered", "critical", "both"),
    ]


def test_a_condition_can_have_to_last():
    rule = BOTH | {"for": "5s"}
    told = [("d1", s, {"temperature_c": 45.0, "humidity": 10.0}) for s in (0, 3, 6, 9)]
    told += [("d2", s, {"temperature_c": 45.0, "humidity": 10.0}) for s in (1, 2)]
    assert [r for r in judged([HOT, rule], told) if r[-1] == "both"] == [(6, "d1", "open", "critical", "both")]


def test_any_holds_by_one_part_whatever_is_unknown():
    either = {"metric": "temperature_c", "above": 44}, {"metric": "humidity", "below": 5}
    rule = {"kind": "condition", "id": "either", "when": {"any": list(either)}}
    told = temperatures((0, 40), (1, 45), (2, 40))
    assert judged([rule], told) == [(1, "d1", "open", "warning", "either"), (2, "d1", "recovered", "warning", "either")]
