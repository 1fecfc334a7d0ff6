"""The story that rules and windows are measured on, and what is read of a run's outcome."""

from collections import defaultdict

import pytest

from bench import outcome
from bench.measurements.memory import filled
from bench.story import InAvro, Reading, Story, to_avro, to_json
from bench.topic import START_MS
from fleetpulse.records.avro import SCHEMA, SensorReadings
from fleetpulse.records.reading import Reading as DecodedBatch
from fleetpulse.records.reading import decode_avro, decode_record

A_FEW = Story(20_000, devices=100)


def test_there_are_as_many_readings_as_asked_for_in_the_order_of_time_and_the_same_each_time() -> None:
    readings = list(A_FEW.readings())
    assert len(readings) == A_FEW.records
    assert [reading.ts_ms for reading in readings] == sorted(reading.ts_ms for reading in readings)
    assert readings == list(A_FEW.readings())


def test_no_two_readings_of_a_device_have_the_same_time() -> None:
    assert len({(reading.device, reading.ts_ms) for reading in A_FEW.readings()}) == A_FEW.records


@pytest.mark.parametrize("humidity", [41.5, None], ids=["all metrics", "one missing"])
def test_json_and_avro_say_the_same(humidity: float | None) -> None:
    reading = Reading(7, START_MS, 21.25, humidity, 48.10001, 11.59999)
    metrics = {"temperature_c": 21.25, "humidity": humidity, "lat": 48.10001, "lon": 11.59999}
    told = DecodedBatch("d0007", START_MS, {name: value for name, value in metrics.items() if value is not None})
    avro = SensorReadings(lambda _: SCHEMA)
    assert decode_record(to_json(reading), START_MS, 0) == told
    assert decode_avro(to_avro(1, reading), avro, START_MS, 0) == told


def test_some_devices_are_stuck_mute_or_silent_for_a_while() -> None:
    by_device: dict[int, list[Reading]] = defaultdict(list)
    for reading in A_FEW.readings():
        by_device[reading.device].append(reading)
    assert [reading.temperature_c for reading in by_device[3]].count(15.3) > 10
    assert [reading.temperature_c for reading in by_device[4]].count(15.4) < 10
    assert {reading.humidity is None for reading in by_device[7]} == {True, False}
    assert all(reading.humidity is not None for reading in by_device[8])
    assert len(by_device[17]) < len(by_device[18])


def test_topics_of_other_content_have_other_names() -> None:
    names = {A_FEW.topic, Story(30_000).topic, InAvro(A_FEW, 1).topic, InAvro(A_FEW, 2).topic}
    assert len(names) == 4


def test_openings_are_counted_by_rule() -> None:
    alerts = [
        b'{"rule_id":"a","state":"open"}',
        b'{"rule_id":"a","state":"recovered"}',
        b'{"rule_id":"b","state":"open"}',
    ]
    assert outcome.opened([*alerts, alerts[0]]) == {"a": 2, "b": 1}


def test_windows_in_a_row_a_metric_or_all_in_one_are_the_same_outcome() -> None:
    window = b'{"window_end":"%s","metric":"%s","count":2,"min":1.5,"max":%s}'
    end, too_late = b"2026-01-01T00:01:00.000Z", b"2026-01-01T00:07:00.000Z"
    ours = [window % (end, b"lat", b"2"), window % (end, b"lat", b"3"), window % (too_late, b"lat", b"9")]
    row = b'{"window_end_ms":%d,"lat_count":2,"lat_min":1.5,"lat_max":%s,"lon_count":0,"lon_min":null,"lon_max":null}'
    theirs = [row % (START_MS + 60_000, b"2"), row % (START_MS + 60_000, b"3"), row % (START_MS + 420_000, b"9")]
    assert outcome.windows(ours) == outcome.sql_windows(theirs, ("lat", "lon")) == {"lat": (2, 4, 1.5, 3.0)}


def test_the_shard_whose_memory_is_measured_knows_all_devices_and_has_them_in_state() -> None:
    shard, state = filled(1_000)
    assert shard.devices_known == 1_000
    assert sum(map(len, state.values())) > 1_000
