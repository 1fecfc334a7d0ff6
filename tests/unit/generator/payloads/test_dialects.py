import json
from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from generator.fleet.factory import KINDS
from generator.fleet.plan import Fault, Reading, readings
from generator.payloads.dialects import meter, metrics_of, sensor_of
from generator.payloads.records import encoder
from generator.scenario import LATE_EVERY, Dialect
from tests.unit.generator.fleets import FAULTY, QUIET, START_MS

EVENTS, TELEMETRY, SENSORS, TYPED, MIXED = (
    replace(QUIET, dialect=dialect) for dialect in Dialect if dialect is not Dialect.AVRO
)
OF_TYPES = {"temperature": "temperature_c", "humidity": "humidity", "battery": "battery"}
OF_SENSORS = {kind.name: kind.metric for kind in KINDS}


def reading(device=3, tick=5, noise=7):
    return Reading(device, f"device-{device:05d}", tick, START_MS + 250, Fault.NONE, noise)


def said(scenario, taken):
    return json.loads(encoder(scenario)(taken.time_ms, taken).value)


def test_an_event_is_what_the_contract_says():
    assert said(EVENTS, reading()) == {
        "event-id": "device-00003-5",
        "device-id": "device-00003",
        "time": START_MS + 250,
    }


def test_telemetry_is_what_the_contract_says():
    value = said(TELEMETRY, reading())

    assert value.keys() == {"device_id", "ts", "temperature_c", "humidity"}
    assert value["device_id"] == "device-00003"
    assert value["ts"] == "2026-01-01T00:00:00.250Z"
    assert 10 < value["temperature_c"] < 32
    assert 30 < value["humidity"] < 60


def test_telemetry_tells_a_position_where_the_device_has_one():
    assert said(replace(TELEMETRY, located_share=1.0), reading()).keys() >= {"lat", "lon"}


def test_a_sensor_is_what_the_contract_says():
    value = said(SENSORS, reading(noise=123 << 16))

    assert value == {
        "timestamp": "2026-01-01T00:00:00.250123Z",
        "sensor_id": "device-00003",
        "sensor_type": "humidity",
        "location": {"factory_section": "section-03", "machine_id": "machine-03-000", "zone": "D"},
        "value": value["value"],
        "unit": "%",
        "alert_level": "normal",
        "quality": 1.0,
        "metadata": {"reading_count": 6, "warning_threshold": 70.0, "critical_threshold": 80.0},
    }
    assert 40 < value["value"] < 55


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_sensor_judges_itself_strictly(kind):
    levels = [kind.level(value) for value in (kind.base, kind.warning, kind.warning + 0.1, kind.critical + 0.1)]

    assert levels == ["normal", "normal", "warning", "critical"]


@pytest.mark.parametrize("scenario", [SENSORS, MIXED], ids=["sensor", "mixed"])
def test_sensors_of_every_type_are_in_a_fleet_and_among_those_that_are_late(scenario):
    speaking = [d for d in range(100) if scenario.dialect_of(d) is Dialect.SENSOR]
    kinds = Counter(sensor_of(scenario, d).kind for d in speaking)

    assert kinds == dict.fromkeys(KINDS, len(speaking) // 5)
    assert {sensor_of(scenario, d).kind for d in speaking if d % LATE_EVERY == 0} == set(KINDS)


def test_the_types_of_a_typed_device_follow_each_other():
    values = [said(TYPED, reading(tick=tick)) for tick in range(2, 7)]

    assert [value["event_type"] for value in values] == ["temperature", "humidity", "location", "battery", "custom"]
    assert [value["payload"].keys() for value in values] == [
        {"value", "unit"},
        {"value", "unit"},
        {"lat", "lon"},
        {"value", "unit"},
        {"name", "value", "unit"},
    ]
    assert [value["payload"].get("unit") for value in values] == ["°C", "%", None, "%", "ppm"]
    assert {value["ts"] for value in values} == {"2026-01-01T00:00:00.250Z"}


def metrics_in(value):
    """What a record says, read without the code that wrote it."""
    if "sensor_id" in value:
        return {OF_SENSORS[value["sensor_type"]]: value["value"]}
    if "event_type" in value:
        payload = value["payload"]
        if value["event_type"] == "location":
            return payload
        return {OF_TYPES.get(value["event_type"], payload.get("name")): payload["value"]}
    return {name: value[name] for name in ("temperature_c", "humidity", "lat", "lon") if name in value}


def test_the_metrics_of_a_reading_are_exactly_the_numbers_in_its_record():
    scenario = replace(
        FAULTY,
        dialect=Dialect.MIXED,
        malformed_rate=0.0,
        duration_ms=60_000,
        located_share=0.5,
        spike_rate=0.1,
        stuck_probability=0.5,
        drift_per_day=100.0,
    )
    measure, encode = meter(scenario), encoder(scenario)
    seen = defaultdict(int)
    for taken in readings(scenario):
        metrics = measure(taken)
        assert metrics == metrics_in(json.loads(encode(0, taken).value))
        for name in metrics:
            seen[name] += 1

    assert seen.keys() == {*OF_SENSORS.values(), "lat", "lon", "battery", "co2_ppm"}


def test_a_malformed_record_has_no_metrics():
    assert metrics_of(TELEMETRY, reading()) != {}
    assert metrics_of(TELEMETRY, reading()._replace(fault=Fault.MALFORMED)) == {}
