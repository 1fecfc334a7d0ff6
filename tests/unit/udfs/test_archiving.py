"""Decided batches as the database takes them."""

import json
from typing import Any
from unittest.mock import Mock

import pandas as pd
import pytest

from fleetpulse.records.avro import SCHEMA, SensorReadings, encode
from fleetpulse.records.batch import decode_batch
from fleetpulse.times import iso
from udfs.archiving import BATCH_READINGS, ToReadings, batches

NOON_MS = 1_767_268_800_000


def archived(*values: bytes | None) -> list[list[dict[str, Any]]]:
    decoded = decode_batch(values, [NOON_MS] * len(values), 60_000)
    return [json.loads(batch) for batch in batches(decoded, [f"t:0:{place}" for place in range(len(values))])]


def test_a_reading_has_its_columns_and_the_rest_among_the_metrics() -> None:
    vibration = {"sensor_id": "s1", "sensor_type": "vibration", "value": 2.5, "location": {"machine_id": "m1"}}
    noise = {"device_id": "d2", "event_type": "custom", "payload": {"name": "noise", "value": 60}}
    telemetry = {"device_id": "d1", "ts": NOON_MS + 250, "temperature_c": 21.5, "lat": None, "battery": 3}
    [readings] = archived(*(json.dumps(value).encode() for value in (telemetry, vibration, noise)))
    nowhere = {"site": None, "machine": None, "zone": None}
    noon = "2026-01-01T12:00:00.000Z"
    assert readings == [
        {"time": "2026-01-01T12:00:00.250Z", "device_id": "d1", "origin": "t:0:0", "temperature_c": 21.5} | nowhere,
        {"time": noon, "device_id": "s1", "origin": "t:0:1", "metrics": {"vibration_mm_s": 2.5}}
        | nowhere
        | {"machine": "m1"},
        {"time": noon, "device_id": "d2", "origin": "t:0:2", "metrics": {"noise": 60.0}} | nowhere,
    ]


def test_rejected_records_are_left_out_and_move_nobody() -> None:
    [readings] = archived(b"rubbish", b'{"device_id":"d1"}', None, b'{"device_id":"d2","temperature_c":"x"}')
    assert [(reading["device_id"], reading["origin"]) for reading in readings] == [("d1", "t:0:1")]


def test_nothing_but_rejected_records_is_no_batch() -> None:
    assert archived(b"rubbish", None) == []


def test_batches_are_no_larger_than_the_database_likes_and_no_more_than_the_records() -> None:
    found = archived(*(b'{"device_id":"d%d"}' % device for device in range(BATCH_READINGS + 1)))
    assert list(map(len, found)) == [BATCH_READINGS, 1]
    devices = [reading["device_id"] for batch in found for reading in batch]
    assert devices == [f"d{device}" for device in range(BATCH_READINGS + 1)]


def test_a_reading_that_cannot_be_written_is_left_out_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail_once(time_ms: int) -> str:
        if time_ms == NOON_MS:
            raise ValueError("nobody foresaw this")
        return iso(time_ms)

    monkeypatch.setattr("fleetpulse.records.documents.iso", fail_once)
    [readings] = archived(b'{"device_id":"d1"}', b'{"device_id":"d2","ts":%d}' % (NOON_MS + 1))
    assert [reading["device_id"] for reading in readings] == ["d2"]
    assert "the reading at t:0:0 is left out" in caplog.text


def test_avro_is_archived_by_the_schemas_of_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def sensor_readings(url: str | None) -> SensorReadings | None:
        asked.append(url)
        return SensorReadings(lambda _id: SCHEMA) if url else None

    monkeypatch.setattr("udfs.archiving.sensor_readings", sensor_readings)
    in_avro = encode(7, {"device_id": "d1", "ts": NOON_MS, "temperature_c": 51.5, "humidity": 8.0})
    in_json = b'{"device_id":"d2","temperature_c":20.5}'
    with_registry = archived_by(ToReadings(60_000, "http://registry:8085"), in_avro, in_json)
    assert [(r["device_id"], r["temperature_c"], r.get("humidity")) for r in with_registry] == [
        ("d1", 51.5, 8.0),
        ("d2", 20.5, None),
    ]
    assert [r["device_id"] for r in archived_by(ToReadings(60_000), in_avro, in_json)] == ["d2"]
    assert asked == ["http://registry:8085", None]


def archived_by(function: ToReadings, *values: bytes) -> list[dict[str, Any]]:
    """The readings that the function makes of one Arrow batch of records."""
    count = len(values)
    function.open(Mock())
    places = pd.Series(["t"] * count), pd.Series([0] * count), pd.Series(range(count))
    kafka_time = pd.Series([NOON_MS] * count).astype("datetime64[ms]")
    rows = function.eval(pd.Series(values), *places, kafka_time)
    return [reading for row in rows if row is not None for reading in json.loads(row)]
