"""The evidence of alerts by limits on two sides agrees with the rule that made them, and changed numbers do not."""

import json
import random
from typing import Any

import pytest

from fleetpulse.alerts import to_json
from fleetpulse.backtest.evidence import checks
from tests.unit.fleetpulse.rules.timelines import T0, rows, temperatures, version, watch

RULES = [
    {
        "kind": "threshold",
        "id": f"range-{hysteresis}-{hold}",
        "metric": "temperature_c",
        "above": {"warning": 30, "critical": 40},
        "below": {"warning": 20, "critical": 10},
        "hysteresis": hysteresis,
        "for": f"{hold}s",
    }
    for hysteresis in (0, 3, 6)
    for hold in (0, 2)
]


def made(rule: dict[str, Any], seed: int) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    stays = [rng.uniform(5, 45) for _ in range(20)]  # each for three readings
    told = temperatures(*((s, stays[s // 3] + rng.uniform(-2, 2)) for s in range(60)))
    return [json.loads(to_json(revision, 0)) for revision in watch(rule).advance(rows(*told), T0 + 60_000)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["id"])
def test_evidence_of_both_sides_agrees(rule: dict[str, Any]) -> None:
    (known,) = version(rule).rules.rules
    revisions = [fields for seed in range(20) for fields in made(rule, seed)]
    assert {fields["limit"] for fields in revisions} == {10, 20, 30, 40}
    assert {fields["state"] for fields in revisions} == {"open", "updated", "recovered"}
    for fields in revisions:
        assert [check.claim for check in checks(fields, known, None) if not check.holds] == [], fields


@pytest.mark.parametrize("rule", [r for r in RULES if r["hysteresis"] < 5], ids=lambda rule: rule["id"])
def test_a_limit_of_the_other_side_does_not_agree(rule: dict[str, Any]) -> None:
    (known,) = version(rule).rules.rules
    other = {10: 40, 20: 30, 30: 20, 40: 10}
    for fields in made(rule, 1):
        if fields["state"] != "recovered":
            changed = fields | {"limit": other[fields["limit"]]}
            assert not all(check.holds for check in checks(changed, known, None)), changed
