"""What a sample of records measures, and which of its fields nothing reads."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.records.arriving import Arriving, Dropped, dropped_fields
from fleetpulse.records.metrics import OF_TYPE, UNITS, nearest_metric
from fleetpulse.records.reading import Reading, decode_record
from fleetpulse.records.reasons import Reason

NOW_MS = 1_767_225_600_000
ALONE = "telemetry has temperature_c, humidity, lat and lon alone: send it as"


def dropped(**fields: Any) -> dict[str, str]:
    return dict(dropped_fields(json.dumps(fields).encode()))


def test_telemetry_drops_all_but_four_metrics_and_says_how_to_send_the_others() -> None:
    found = dropped(device_id="a", ts=NOW_MS, humidity=40, temperature=21, battery=80, fuel_l=3, firmware="1.2", x=None)
    assert found == {
        "temperature": "it is called `temperature_c`, in °C",
        "battery": f'{ALONE} "event_type": "battery", "value": …',
        "fuel_l": f'{ALONE} "event_type": "custom", "name": "fuel_l", "value": …',
        "firmware": "nothing reads it in telemetry",
    }


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"device_id": "a", "event_type": "custom", "name": "fuel_l", "value": 3}, {}),
        ({"device_id": "a", "event_type": "location", "payload": {"lat": 1, "lon": 2}}, {}),
        ({"device_id": "a", "event_type": "battery", "battery": 80, "temperature_c": 3}, {}),
        ({"device-id": "a", "time": 1, "event-id": "e"}, {}),
        (
            {
                "sensor_id": "a",
                "sensor_type": "energy",
                "value": 1,
                "unit": "W",
                "quality": 1,
                "location": {"zone": "z"},
            },
            {},
        ),
        ({"device_id": "a", "value": 3}, {"value": "its type is missing: name that in `event_type`"}),
        (
            {"device_id": "a", "metrics": {"humidity": 3}},
            {"metrics": "fields in an object are read in the `payload` of a record with an `event_type` only"},
        ),
        (
            {"device_id": "a", "event_type": "telemetry", "payload": {"temperature": 3, "humidity": 4}},
            {"payload.temperature": "it is called `temperature_c`, in °C"},
        ),
        ({"device_id": "a", "event_type": "custom", "humidity": "45"}, {"humidity": "it is no number"}),
        ({"device-id": "a", "humidity": 45}, {"humidity": "events measure nothing: name the device in `device_id`"}),
        (
            {"sensor_id": "a", "sensor_type": "energy", "value": 1, "rpm": 1},
            {"rpm": "nothing reads it in a sensor reading"},
        ),
    ],
)
def test_each_dialect_drops_what_it_does_not_read(fields: dict[str, Any], found: dict[str, str]) -> None:
    assert dropped(**fields) == found


NAMES = st.sampled_from([*UNITS, *OF_TYPE, "value", "unit", "name", "payload", "fuel_l", "event_type", "sensor_type"])
VALUES = st.integers(0, 9) | st.sampled_from(["temperature", "custom", "location", "45", None])
OBJECTS = st.dictionaries(NAMES, VALUES | st.dictionaries(NAMES, VALUES, max_size=3), max_size=5)


@given(OBJECTS, st.sampled_from(["device_id", "sensor_id", "device-id"]))
def test_a_record_is_read_the_same_without_the_fields_that_are_dropped(fields: dict[str, Any], id_name: str) -> None:
    whole = fields | {id_name: "a"}
    read = decode_record(json.dumps(whole).encode(), NOW_MS, 0)
    if isinstance(read, Reading):
        gone = dropped(**whole)
        kept = {k: _without(gone, k, v) for k, v in whole.items() if k not in gone}
        assert decode_record(json.dumps(kept).encode(), NOW_MS, 0) == read


def _without(gone: dict[str, str], place: str, value: object) -> object:
    return {k: v for k, v in value.items() if f"{place}.{k}" not in gone} if isinstance(value, dict) else value


def test_a_sample_counts_metrics_rejections_and_dropped_fields() -> None:
    found = Arriving()
    records = [
        {"device_id": "a", "ts": NOW_MS, "humidity": 4, "battery": 3},
        {"device_id": "b", "ts": NOW_MS, "humidity": 4},
        {"device_id": "b", "event_type": "custom", "name": "fuel_l", "value": 4},
        {"device_id": "b", "ts": "yesterday"},
    ]
    values = [json.dumps(record).encode() for record in records] + [None, b"{"]
    found.take(values, [NOW_MS] * len(values), 60_000)
    assert (found.records, found.accepted, found.devices) == (6, 3, {"a", "b"})
    assert found.metrics == {"humidity": 2, "fuel_l": 1}
    assert found.rejected == {Reason.BAD_TIME: 1, Reason.EMPTY: 1, Reason.MALFORMED: 1}
    assert found.dropped == {Dropped("battery", f'{ALONE} "event_type": "battery", "value": …'): 1}


def test_avro_is_counted_and_may_have_the_metrics_of_telemetry() -> None:
    assert dropped_fields(b"\0\0\0\0\1") == []
    found = Arriving()
    found.take([b"\0\0\0\0\1", b'{"device_id": "a", "event_type": "battery", "value": 4}'], [NOW_MS] * 2, 60_000)
    assert (found.records, found.avro, found.rejected) == (1, 1, {})
    assert found.metrics_that_may_come == {"battery", "temperature_c", "humidity", "lat", "lon"}


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("temprature_c", "temperature_c"),
        ("Temperature", "temperature_c"),
        ("vibration_mms", "vibration_mm_s"),
        ("fuel_l", None),
        ("co2", None),
    ],
)
def test_a_name_is_near_the_metric_that_is_meant(name: str, near: str | None) -> None:
    assert nearest_metric(name) == near
