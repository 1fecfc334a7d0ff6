"""Metrics: names in any case, units as people and programs write them, conversion that is rounded once."""

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fleetpulse.records.metrics import CONVERSIONS, OF_TYPE, UNITS, UNITS_IN_ANY_CASE, converted, metric_of
from fleetpulse.records.reading import Reading, decode_record
from fleetpulse.records.reasons import Reason
from fleetpulse.records.structs import Payload, TypedRecord

T0 = 1_767_225_600_000


@pytest.mark.parametrize(
    ("metric", "value", "unit", "expected"),
    [
        ("energy_kw", 500.0, "mW", 0.0005),
        ("energy_kw", 0.2, "MW", 200.0),
        ("energy_kw", 2.0, "KW", 2.0),
        ("energy_kw", 2.0, "kw", 2.0),
        ("energy_kw", 2.0, "w", 0.002),
        ("energy_kw", 2.0, "mw", None),
        ("energy_kw", 2.0, "Mw", None),
        ("pressure_hpa", 1.0, "mbar", 1.0),
        ("pressure_hpa", 1.0, "MBAR", 1.0),
        ("pressure_hpa", 1.0, "Mbar", None),
        ("pressure_hpa", 1.0, "MPa", 10_000.0),
        ("pressure_hpa", 1e5, "mPa", 1.0),
        ("pressure_hpa", 1.0, "MPA", None),
        ("pressure_hpa", 1.0, "KPA", 10.0),
        ("vibration_mm_s", 1.0, "MM/S", 1.0),
        ("vibration_mm_s", 1.0, "Mm/s", None),
        *(
            ("temperature_c", 20.0, unit, 20.0)
            for unit in ("℃", "ºC", "⁰C", "˚C", "° C", " °c ", "Cel", "cel", "CELSIUS", "deg C", "", " ", None)
        ),
        ("temperature_c", 68.0, "℉", 20.0),
        ("temperature_c", 68.0, "° F", 20.0),
        ("temperature_c", 293.15, "\u212a", 20.0),
        ("temperature_c", 293.15, "k", 20.0),
        ("temperature_c", 20.0, "furlongs", None),
        ("humidity", 40.0, "% RH", 40.0),
        ("co2", 400.0, "ppm", 400.0),
    ],
)
def test_a_unit_is_read_as_it_is_written(metric: str, value: float, unit: str | None, expected: float | None) -> None:
    assert converted(metric, value, unit) == expected


@pytest.mark.parametrize("metric", CONVERSIONS)
def test_no_unit_has_two_readings(metric: str) -> None:
    known = CONVERSIONS[metric]
    for unit, in_own in known.items():
        for respelled in {unit.lower(), unit.upper(), unit.swapcase(), unit.capitalize()} - known.keys():
            alike = {known[other] for other in known if other.lower() == unit.lower()}
            read = UNITS_IN_ANY_CASE[metric].get(respelled.lower())
            assert read is None or alike == {in_own}


def test_the_contract_lists_the_units_that_are_read() -> None:
    text = (Path(__file__).resolve().parents[4] / "docs" / "contracts.md").read_text()
    [table] = re.findall(r"\n\| metric \| unit \| `sensor_type` .*?\n\n", text, re.DOTALL)
    rows = [line.split(" | ") for line in table.strip().splitlines()[2:]]
    listed = {row[0].strip("|` "): set(re.findall("`(.*?)`", row[3])) for row in rows}
    for metric, conversions in CONVERSIONS.items():
        assert listed[metric] == conversions.keys()


def test_whole_degrees_fahrenheit_are_exact_wherever_celsius_are() -> None:
    for celsius in range(-90, 1000):
        assert converted("temperature_c", float(celsius * 9 / 5 + 32), "°F") == celsius
        assert converted("temperature_c", float(f"{celsius + 273}.15"), "K") == celsius


@given(
    st.floats(-1e300, 1e300) | st.integers(-5000, 5000).map(lambda tenths: tenths / 10),
    st.sampled_from([(metric, unit) for metric, conversions in CONVERSIONS.items() for unit in conversions]),
)
@example(122.0, ("temperature_c", "°F"))
@example(71.6, ("temperature_c", "°F"))
@example(5e-324, ("energy_kw", "mW"))
def test_a_conversion_is_rounded_once(value: float, known: tuple[str, str]) -> None:
    metric, unit = known
    times, plus, over = CONVERSIONS[metric][unit]
    exactly = (Fraction(repr(value)) * times + plus) / over
    assert converted(metric, value, unit) == float(exactly)


@pytest.mark.parametrize("name", [*OF_TYPE, *UNITS])
def test_a_known_type_is_known_in_any_case(name: str) -> None:
    for spelled in (name, name.upper(), name.capitalize(), name.swapcase()):
        assert metric_of(spelled) == OF_TYPE.get(name, name)


def test_an_unknown_type_keeps_its_case() -> None:
    assert metric_of("CO2") == "CO2"
    assert metric_of("2nd") is metric_of(7) is None


def measured(**fields: Any) -> dict[str, float] | Reason:
    outcome = decode_record(json.dumps({"ts": T0} | fields).encode(), T0, 60_000)
    return dict(outcome.metrics) if isinstance(outcome, Reading) else outcome.reason


def typed(event_type: str, **fields: Any) -> dict[str, float] | Reason:
    return measured(device_id="d", event_type=event_type, **fields)


def test_a_typed_event_is_read_wherever_its_metrics_stand() -> None:
    assert typed("telemetry", temperature_c=60) == {"temperature_c": 60}
    assert typed("temperature", value=140, unit="°F") == {"temperature_c": 60}
    assert typed("temperature", payload={"temperature": 60}) == {"temperature_c": 60}
    assert typed("temperature", payload={"temperature": 140, "unit": "°F"}) == {"temperature_c": 60}
    assert typed("TEMPERATURE", payload={"value": 60}, battery=81) == {"temperature_c": 60, "battery": 81}
    assert typed("telemetry", payload={"temperature_c": 60, "humidity": 40}) == {"temperature_c": 60, "humidity": 40}
    assert typed("custom", name="co2", value=400) == {"co2": 400}
    assert typed("Location", payload={"lat": 1, "lon": 2, "value": 3}) == {"lat": 1, "lon": 2}
    assert typed("location", lat=1, lon=2) == {"lat": 1, "lon": 2}


def test_the_payload_comes_first() -> None:
    assert typed("battery", payload={"value": 80}, value=10, battery=20) == {"battery": 80}
    assert typed("telemetry", payload={"humidity": 40}, humidity=50) == {"humidity": 40}


def test_what_is_no_number_beside_a_type_is_an_unknown_field() -> None:
    assert typed("battery", payload={"value": 80}, humidity="damp") == {"battery": 80}
    assert typed("battery", payload={"battery": "low"}) is Reason.WRONG_TYPE
    assert typed("location", payload={"lat": "north"}) is Reason.WRONG_TYPE


def test_a_sensor_is_read_as_a_typed_event_is() -> None:
    assert measured(sensor_id="s", temperature_c=21) == {"temperature_c": 21}
    assert measured(sensor_id="s", sensor_type="Temperature", temperature=140, unit="°F") == {"temperature_c": 60}


@pytest.mark.parametrize("struct", [Payload, TypedRecord])
def test_the_fast_way_reads_all_names_that_may_measure(struct: Any) -> None:
    assert {*UNITS, *OF_TYPE, "value", "unit", "name"} <= set(struct.__struct_fields__)
