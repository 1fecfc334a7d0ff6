"""What rules cannot mean is refused by the names that the decoder gives; what they may not mean is a warning."""

from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.records.dialects import SENSOR, metrics_of
from fleetpulse.records.metrics import OF_TYPE, UNITS
from fleetpulse.rules.checks import faults, starving, warnings
from fleetpulse.rules.faults import covers, longest_literal
from fleetpulse.rules.model import read

HOT = {"kind": "threshold", "metric": "temperature_c", "above": {"critical": 50}}


def of(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"rules": [{"id": f"r{number}", **rule} for number, rule in enumerate(rules)]}


def warned(*rules: dict[str, Any]) -> list[str]:
    given_rules = read(of(*rules))
    assert list(faults(given_rules)) == []
    return [f"{path}: {message}" for path, message in warnings(given_rules)]


NAMES = {*OF_TYPE, *UNITS, "co2", "speed", "x-1"}


@pytest.mark.parametrize("name", sorted(NAMES | {name.upper() for name in NAMES}))
def test_a_metric_is_refused_if_readings_have_it_under_another_name(name: str) -> None:
    (decoded,) = metrics_of(SENSOR, {"sensor_type": name, "value": 1})
    found = [message for _, message in faults(read(of(HOT | {"metric": name})))]
    assert [decoded in message for message in found] == ([True] if decoded != name else [])


def silence(timeout: str, *devices: str) -> dict[str, Any]:
    return {"kind": "inactivity", "timeout": timeout, **({"scope": {"devices": list(devices)}} if devices else {})}


def absent(*devices: str) -> dict[str, Any]:
    return {"kind": "never_seen", "devices": list(devices), "within": "5m"}


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([silence("5m"), silence("25h", "meter-*")], ["rules[1]: has no effect"]),
        ([silence("25h", "meter-*"), silence("5m")], []),
        ([silence("5m", "a*"), silence("6m", "b*"), silence("7m", "a1*", "b?")], ["rules[2]: has no effect"]),
        ([silence("5m", "a*"), silence("6m", "a*", "b*")], []),
        ([silence("5m", "a?"), silence("6m", "a*")], []),
        ([silence("5m"), silence("5m")], ["rules[1]: has no effect"]),
        ([absent("a", "b"), absent("b")], ["rules[1]: has no effect"]),
        ([absent("b"), absent("a", "b")], []),
        ([absent("gw-[12]")], ["rules[0].devices[0]: 'gw-[12]' is taken as the id of one device"]),
        ([HOT, HOT], ["rules[1]: is the same as 'r0'"]),
        ([HOT, HOT | {"hysteresis": 1}], []),
        ([HOT, HOT | {"scope": {"devices": ["a*"]}}], []),
        (
            [HOT, {"kind": "battery", "below": {"warning": 5}}, HOT, HOT],
            ["rules[2]: is the same as 'r0'", "rules[3]: is the same as 'r0'"],
        ),
    ],
)
def test_a_rule_without_effect_is_a_warning(rules: list[dict[str, Any]], told: list[str]) -> None:
    found = warned(*rules)
    assert len(found) == len(told), found
    assert [line for line, begin in zip(found, told, strict=True) if not line.startswith(begin)] == []


def test_a_warning_names_the_rule_that_comes_first() -> None:
    (line,) = warned(silence("5m", "a*"), silence("5m", "b*"), silence("6m", "b1*"))
    assert line == "rules[2]: has no effect: of several rules for a device the first counts, and 'r1' comes first"


GLOBS = st.text("ab*?", max_size=6) | st.sampled_from(["[ab]*", "*[!a]", "a[b]", "[a-b]b", "*"])


@given(GLOBS, GLOBS, st.lists(st.text("abc", max_size=8), max_size=30))
def test_a_glob_that_covers_another_matches_all_that_it_matches(general: str, special: str, ids: list[str]) -> None:
    if covers(general, special):
        assert longest_literal(general) in special
        assert [name for name in ids if fnmatchcase(name, special) and not fnmatchcase(name, general)] == []


@pytest.mark.parametrize(
    ("general", "special"),
    [
        ("*", "a"),
        ("a*", "a*"),
        ("a*", "ab*"),
        ("*b*", "a*b"),
        ("a?", "ab"),
        ("a?", "a?"),
        ("a?*", "a??"),
        ("?*", "[ab]"),
    ],
)
def test_a_glob_covers_narrower_ones(general: str, special: str) -> None:
    assert covers(general, special)


def test_a_metric_that_only_some_records_can_bring_is_a_warning_once() -> None:
    fuel = HOT | {"metric": "fuel_l"}
    where = "comes only in records that name it as their sensor_type, event_type or name"
    assert warned(
        fuel, fuel | {"above": {"critical": 1}}, {"kind": "condition", "when": {"metric": "humidty", "above": 3}}
    ) == [
        f"rules[0].metric: `fuel_l` {where}, and a field of this name in telemetry is dropped",
        f"rules[2].when.metric: `humidty` {where}; is `humidity` meant?",
    ]
    assert warned(HOT, {"kind": "battery", "below": {"warning": 3}}) == []


def test_rules_without_values_are_named_with_their_metrics() -> None:
    rules = of(
        HOT,
        HOT | {"metric": "fuel_l"},
        {"kind": "battery", "below": {"critical": 5}},
        {"kind": "missing", "metric": "humidity", "for": "5m"},
        {"kind": "condition", "when": {"all": [{"rule": "r0"}, {"metric": "co2", "above": 3}]}},
        {"kind": "geofence", "area": {"shape": "circle", "lat": 1, "lon": 1, "radius_m": 3}},
        {"kind": "inactivity", "timeout": "5m"},
    )
    assert list(starving(read(rules), {"temperature_c", "lat", "lon"})) == [
        ("rules[1].metric", "no record has `fuel_l`: 'r1' never fires"),
        ("rules[2].metric", "no record has `battery`: 'r2' never fires"),
        ("rules[3].metric", "no record has `humidity`: 'r3' fires for every device"),
        ("rules[4].when.all[1].metric", "no record has `co2`: 'r4' never knows it"),
    ]
