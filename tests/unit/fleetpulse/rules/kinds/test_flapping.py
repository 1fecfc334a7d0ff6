"""Alerts that open too often."""

from tests.unit.fleetpulse.rules.timelines import HOT, T0, brief, rows, temperatures, watch


def test_flapping_becomes_one_alert_with_a_count():
    flap = {"kind": "flapping", "id": "flap", "rule": "hot", "opens": 3, "within": "60s"}
    up_and_down = [(s, 45 if s % 10 == 0 else 30) for s in range(0, 65, 5)]
    revisions = watch(HOT, flap).advance(rows(*temperatures(*up_and_down, (125, 45), (130, 45))), T0 + 130_000)
    assert brief(revisions) == [
        (0, "d1", "open", "warning", "hot"),
        (5, "d1", "recovered", "warning", "hot"),
        (10, "d1", "open", "warning", "hot"),
        (15, "d1", "recovered", "warning", "hot"),
        (20, "d1", "open", "warning", "hot"),
        (20, "d1", "open", "warning", "flap"),
        (25, "d1", "recovered", "warning", "hot"),
        (125, "d1", "recovered", "warning", "flap"),
        (125, "d1", "open", "warning", "hot"),
    ]
    assert [r.value for r in revisions if r.rule_id == "flap"] == [3.0, 7.0]


def test_what_still_holds_when_flapping_ends_is_said_aloud():
    flap = {"kind": "flapping", "id": "flap", "rule": "hot", "opens": 2, "within": "10s"}
    told = temperatures((0, 45), (1, 30), (2, 45), (3, 30), (4, 46), (14, 47), (15, 48))
    revisions = watch(HOT, flap).advance(rows(*told), T0 + 15_000)
    assert brief(revisions)[-2:] == [(15, "d1", "recovered", "warning", "flap"), (15, "d1", "open", "warning", "hot")]
    assert revisions[-1].value == 46
