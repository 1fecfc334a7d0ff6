"""A set of rules is read and checked as a whole; a fault names its path."""

from typing import Any

import pytest

from fleetpulse.durations import DurationMs, parse
from fleetpulse.rules.areas import Circle
from fleetpulse.rules.checks import check, faults
from fleetpulse.rules.kinds.geofence import Geofence
from fleetpulse.rules.kinds.stuck import Stuck
from fleetpulse.rules.kinds.threshold import Threshold
from fleetpulse.rules.levels import Levels
from fleetpulse.rules.model import RuleSet, read, to_document
from fleetpulse.rules.parts import RuleError
from fleetpulse.rules.rule import Scope

HOT = {"kind": "threshold", "id": "hot", "metric": "temperature_c", "above": {"critical": 50}}


def of(*rules: object) -> dict[str, Any]:
    return {"rules": list(rules)}


def test_what_is_left_out_has_its_default() -> None:
    (rule,) = read(of(HOT)).rules
    assert rule == Threshold(id="hot", metric="temperature_c", above=Levels(critical=50.0))
    assert isinstance(rule, Threshold)
    assert (rule.scope, rule.below, rule.hysteresis, rule.hold) == (Scope(devices=("*",)), None, 0.0, DurationMs(0))


def test_a_set_comes_back_from_its_document() -> None:
    stuck = Stuck(id="stuck", metric="humidity", hold=DurationMs(90_000), severity="info")
    away = Geofence(id="away", area=Circle(lat=48.1, lon=11.6, radius_m=500.0), scope=Scope(sites=("a*",)))
    rules = RuleSet((stuck, away))
    document = to_document(rules)
    assert document["rules"][0] == {
        "kind": "stuck",
        "id": "stuck",
        "metric": "humidity",
        "for": "90s",
        "severity": "info",
    }
    assert read(document) == rules


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        (None, "", "expected a mapping, got nothing"),
        ({}, "", "`rules` is missing"),
        ({"rules": {}}, "rules", "expected a list, got a mapping"),
        (of(HOT, HOT | {"above": {"critical": "hot"}}), "rules[1].above.critical", "expected a number, got 'hot'"),
        (of(HOT | {"above": {"critical": True}}), "rules[0].above.critical", "expected a number, got true"),
        (of(HOT | {"hysteresis": 10**400}), "rules[0].hysteresis", "number out of range"),
        (of(HOT | {"metric": "x" * 99 + "'", "id": 5}), "rules[0].id", "expected text, got 5"),
        (of(HOT | {"scope": "x" * 99}), "rules[0].scope", "expected a mapping, got '" + "x" * 59 + "…"),
        (of(HOT | {"x": 1}), "rules[0].x", "unknown field"),
        (of({"kind": "stuck", "id": "a", "metric": "m"}), "rules[0]", "`for` is missing"),
        (
            of({"kind": "geofence", "id": "a", "alert": "near"}),
            "rules[0].alert",
            "expected one of outside, inside, got",
        ),
    ],
)
def test_what_is_wrong_is_told_in_the_words_of_who_writes_rules(document: object, path: str, message: str) -> None:
    with pytest.raises(RuleError) as refused:
        read(document)
    assert refused.value.path == path
    assert refused.value.message.startswith(message)


def test_a_condition_without_end_is_refused() -> None:
    when: object = {"rule": "hot"}
    for _ in range(100_000):
        when = {"not": when}
    with pytest.raises(RuleError, match="nested too deeply"):
        read(of({"kind": "condition", "id": "deep", "when": when}))


def test_all_faults_of_a_set_are_told() -> None:
    rules = read(of(HOT | {"id": "1", "hysteresis": -1}, {"kind": "battery", "id": "low", "below": {}}))
    assert [path for path, _ in faults(rules)] == ["rules[0].id", "rules[0].hysteresis", "rules[1].below"]
    with pytest.raises(RuleError, match=r"rules\[0\].id: '1' is not a letter"):
        check(rules)


def test_an_area_has_an_end() -> None:
    endless = Geofence(id="away", area=Circle(lat=48.1, lon=11.6, radius_m=float("inf")))
    assert [path for path, _ in faults(RuleSet((endless,)))] == ["rules[0].area.radius_m"]


@pytest.mark.parametrize("count", [1, 1_000_001, 10**30])
def test_what_is_counted_has_an_end(count: int) -> None:
    unusual = {"kind": "deviation", "id": "a", "metric": "m", "sigmas": {"warning": 3}, "warm_up": count}
    flapping = {"kind": "flapping", "id": "b", "rule": "a", "within": "1m", "opens": count}
    assert [path for path, _ in faults(read(of(unusual, flapping)))] == ["rules[0].warm_up", "rules[1].opens"]


@pytest.mark.parametrize(
    ("text", "duration_ms"),
    [("0s", 0), ("500ms", 500), ("1.5s", 1_500), ("5m", 300_000), ("1h", 3_600_000), ("36500d", 3_153_600_000_000)],
)
def test_durations_are_read(text: str, duration_ms: int) -> None:
    assert parse(text) == duration_ms
    assert parse(str(parse(text))) == duration_ms


@pytest.mark.parametrize("bad", ["", "5", "5 s", "-5s", "5w", "36501d", "9" * 400 + "s", 5, None])
def test_what_is_no_duration_is_refused(bad: object) -> None:
    with pytest.raises(ValueError, match=r"is not a duration|is longer than 36500d"):
        parse(bad)
