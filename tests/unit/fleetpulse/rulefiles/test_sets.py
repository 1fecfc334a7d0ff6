"""The sets that come along, and the schema that editors check them by."""

import json
from itertools import chain
from pathlib import Path
from typing import get_args

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from fleetpulse.records.metrics import UNITS
from fleetpulse.rulefiles import schema, show
from fleetpulse.rulefiles.files import load
from fleetpulse.rules.kinds import Rule
from fleetpulse.rules.kinds.threshold import Threshold
from fleetpulse.rules.levels import Levels
from fleetpulse.rules.rule import ReadingRule
from fleetpulse.rules.versions import Version, decode, encode
from tests.unit.fleetpulse.rulefiles.malformed import MALFORMED, Malformed

ROOT = Path(__file__).resolve().parents[4]
SETS = sorted((ROOT / "rules").glob("*.yaml"))
VALIDATOR = Draft202012Validator(json.loads(schema.FILE.read_text()))


def limits(name: str, **environment: str) -> dict[str, tuple[Levels | None, Levels | None]]:
    """Limits below and above, by metric."""
    rules = load(ROOT / "rules" / f"{name}.yaml", environment).rules
    assert all(isinstance(rule, Threshold) and not rule.hysteresis and not rule.hold for rule in rules)
    return {rule.metric: (rule.below, rule.above) for rule in rules if isinstance(rule, Threshold)}


def test_the_fleet_set_has_the_published_limits() -> None:
    hot, dry = Levels(critical=50.0), Levels(critical=10.0)
    assert limits("fleet") == {"temperature_c": (None, hot), "humidity": (dry, None)}
    assert limits("fleet", MAX_TEMPERATURE="60.5", MIN_HUMIDITY="5") == {
        "temperature_c": (None, Levels(critical=60.5)),
        "humidity": (Levels(critical=5.0), None),
    }


def test_the_telemetry_set_has_the_published_limits() -> None:
    def levels(*values: float) -> list[Levels]:
        return [Levels(critical=value) for value in values]

    assert list(chain(*limits("telemetry").values())) == levels(-10, 50, 0, 100)
    names = ("TEMP_MIN_THRESHOLD", "TEMP_MAX_THRESHOLD", "HUMIDITY_MIN_THRESHOLD", "HUMIDITY_MAX_THRESHOLD")
    other = limits("telemetry", **{name: str(n) for n, name in enumerate(names, 1)})
    assert list(chain(*other.values())) == levels(1, 2, 3, 4)


def test_the_factory_set_has_the_published_limits() -> None:
    assert limits("factory") == {
        "temperature_c": (None, Levels(warning=35.0, critical=40.0)),
        "vibration_mm_s": (None, Levels(warning=5.0, critical=7.0)),
        "energy_kw": (None, Levels(warning=150.0, critical=180.0)),
        "humidity": (None, Levels(warning=70.0, critical=80.0)),
        "pressure_hpa": (None, Levels(warning=1040.0, critical=1060.0)),
    }
    assert {rule.scope.sites for rule in load(ROOT / "rules" / "factory.yaml", {}).rules} == {("*",)}


def test_the_complete_set_has_every_kind() -> None:
    rules = load(ROOT / "rules" / "complete.yaml", {}).rules
    assert {type(rule) for rule in rules} == set(get_args(Rule))
    assert len(rules) >= 20


@pytest.mark.parametrize("limit", ["-20", "0", "42", "120"])
def test_limits_of_the_complete_set_may_be_any(limit: str) -> None:
    rules = load(ROOT / "rules" / "complete.yaml", {"MAX_TEMPERATURE": limit, "MIN_HUMIDITY": limit}).rules
    assert [rule.above for rule in rules if rule.id == "temperature-high"] == [Levels(critical=float(limit))]
    assert [rule.below for rule in rules if rule.id == "humidity-low"] == [Levels(critical=float(limit))]


@pytest.mark.parametrize("path", SETS, ids=lambda p: p.stem)
def test_every_set_measures_what_there_is_and_survives_its_topic(path: Path) -> None:
    rules = load(path, {})
    assert {rule.metric for rule in rules.rules if isinstance(rule, ReadingRule)} <= {*UNITS, None}
    version = Version(3, 1_767_225_600_000, rules)
    assert decode(encode(version)) == version


@pytest.mark.parametrize("path", SETS, ids=lambda p: p.stem)
def test_every_set_is_what_show_writes(path: Path, tmp_path: Path) -> None:
    again = tmp_path / "shown.yaml"
    again.write_text(show.as_file(load(path, {})))
    assert load(again, {}) == load(path, {})


def test_the_sets_together_are_one() -> None:
    names = ["fleet", "factory"]
    assert len(load([ROOT / "rules" / f"{name}.yaml" for name in names], {}).rules) == 7


def test_the_schema_is_what_the_types_say() -> None:
    assert schema.FILE.read_text() == schema.text(), "write it with: python -m fleetpulse.rulefiles.schema"
    Draft202012Validator.check_schema(json.loads(schema.text()))


@pytest.mark.parametrize("path", SETS, ids=lambda p: p.stem)
def test_editors_find_nothing_wrong_with_the_sets(path: Path) -> None:
    assert path.read_text().startswith("# yaml-language-server: $schema=../fleetpulse/schemas/rules.schema.json\n")
    VALIDATOR.validate(YAML(typ="safe", pure=True).load(path))


IN_THE_SCHEMA = ["unknown kind", "unknown field", "a number for levels", "no unit", "text for a number", "shape"]


@pytest.mark.parametrize("malformed", [m for m in MALFORMED if m.id in IN_THE_SCHEMA], ids=lambda m: m.id)
def test_editors_find_what_is_wrong(malformed: Malformed) -> None:
    assert not VALIDATOR.is_valid(YAML(typ="safe", pure=True).load(malformed.content))
