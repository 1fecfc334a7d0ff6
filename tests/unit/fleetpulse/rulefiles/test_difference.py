"""Differences between two sets are listed by rule and field."""

import pytest

from fleetpulse.rulefiles import show
from fleetpulse.rulefiles.difference import Change, difference
from fleetpulse.rules.areas import Circle
from fleetpulse.rules.kinds import Rule
from fleetpulse.rules.kinds.condition import Condition, Node
from fleetpulse.rules.kinds.geofence import Geofence
from fleetpulse.rules.kinds.threshold import Threshold
from fleetpulse.rules.levels import Levels
from fleetpulse.rules.model import RuleSet, to_document
from fleetpulse.rules.rule import Scope

HOT = Threshold(id="hot", metric="temperature_c", above=Levels(critical=50.0))
DRY = Threshold(id="dry", metric="humidity", below=Levels(critical=10.0))
AWAY = Geofence(id="away", area=Circle(lat=48.1, lon=11.6, radius_m=500.0))


def both(*nodes: Node) -> Condition:
    return Condition(id="both", when=Node(all=nodes))


def of(*rules: Rule) -> RuleSet:
    return RuleSet(rules)


@pytest.mark.parametrize(
    ("before", "after", "lines", "summary"),
    [
        pytest.param(of(HOT), of(HOT), [], "the same rules", id="nothing"),
        pytest.param(of(), of(HOT), ["+ hot (threshold)"], "1 added", id="added"),
        pytest.param(of(HOT, AWAY), of(HOT), ["- away (geofence)"], "1 removed", id="removed"),
        pytest.param(of(HOT, DRY), of(DRY, HOT), ["~ the order of the rules"], "reordered", id="order"),
        pytest.param(
            of(HOT),
            of(
                Threshold(
                    id="hot", metric="t", above=Levels(warning=40.0, critical=50.0), scope=Scope(devices=("a", "b"))
                )
            ),
            [
                "~ hot: metric: temperature_c → t",
                "~ hot: scope.devices: default → [a, b]",
                "~ hot: above.warning: default → 40",
            ],
            "1 changed",
            id="fields",
        ),
        pytest.param(
            of(HOT, AWAY),
            of(DRY, Geofence(id="away", area=Circle(lat=48.1, lon=11.6, radius_m=600.0))),
            ["+ dry (threshold)", "- hot (threshold)", "~ away: area.radius_m: 500 → 600"],
            "1 added, 1 removed, 1 changed",
            id="all at once",
        ),
        pytest.param(
            of(HOT, both(Node(rule="hot"), Node(metric="humidity", below=20.0))),
            of(HOT, both(Node(rule="hot"), Node(metric="humidity", below=30.0), Node(metric="battery", above=5.0))),
            [
                "~ both: when.all[1].below: 20 → 30",
                "~ both: when.all[2].metric: default → battery",
                "~ both: when.all[2].above: default → 5",
            ],
            "1 changed",
            id="within a condition",
        ),
    ],
)
def test_differences_are_lines(before: RuleSet, after: RuleSet, lines: list[str], summary: str) -> None:
    found = difference(before, after)
    assert sorted(found.lines()) == sorted(lines)
    assert found.summary() == summary
    assert bool(found) == bool(lines)


def test_programs_get_the_same() -> None:
    found = difference(of(HOT, AWAY), of(DRY, Threshold(id="hot", metric="temperature_c", above=Levels(critical=55.0))))
    assert found.changed == (Change("hot", "above.critical", 50.0, 55.0),)
    assert found.as_document() == {
        "added": ["dry"],
        "removed": ["away"],
        "changed": [{"id": "hot", "field": "above.critical", "before": 50.0, "after": 55.0}],
        "reordered": False,
    }


def test_a_set_shown_as_a_file_has_all_its_fields() -> None:
    shown = show.as_file(of(HOT, AWAY))
    assert shown.startswith("rules:\n")
    assert [line.split(":")[0].strip(" -") for line in shown.splitlines()[1:4]] == ["kind", "id", "metric"]
    assert all(f"id: {rule['id']}" in shown for rule in to_document(of(HOT, AWAY))["rules"])
