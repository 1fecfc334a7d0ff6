"""Every record is accepted or rejected for the right reason, one at a time and in batches."""

import json
import sys
import traceback
import tracemalloc
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetpulse.errors import FleetpulseError
from fleetpulse.records.avro import SensorReadings
from fleetpulse.records.batch import decode_batch
from fleetpulse.records.dialects import NOWHERE
from fleetpulse.records.parsing import MAX_DEPTH
from fleetpulse.records.reading import Reading, Rejection, decode_record
from fleetpulse.records.reasons import Reason
from fleetpulse.times import LAST_MS
from tests.bad_records import ALMOST_JSON, CASES, KAFKA_TIME_MS

SKEW_MS = 60_000


def decided(values, skew_ms=SKEW_MS):
    """The outcome of `decode_batch` for each record."""
    batch = decode_batch(values, [KAFKA_TIME_MS] * len(values), skew_ms)
    return [batch.rejections.get(place, reading_at(batch, place)) for place in range(len(values))]


def reading_at(batch, place):
    """The reading at a place of a decoded batch."""
    metrics = {name: column[place] for name, column in batch.columns.items() if column[place] is not None}
    location = batch.locations[place] if batch.locations else NOWHERE
    return Reading(batch.devices[place], batch.event_times_ms[place], metrics | batch.others.get(place, {}), location)


@pytest.mark.parametrize(("value", "reason"), CASES.values(), ids=CASES)
def test_a_record_is_judged(value, reason):
    outcome = decode_record(value, KAFKA_TIME_MS, SKEW_MS)
    assert getattr(outcome, "reason", None) == reason


def test_the_payload_of_telemetry_is_read_with_what_it_may_leave_out():
    whole = {"device_id": "d1", "ts": "2025-12-31T23:59:50Z", "temperature_c": 21.5, "humidity": 40, "lat": 1, "lon": 2}
    metrics = {name: whole[name] for name in ("temperature_c", "humidity", "lat", "lon")}
    for left_out in ((), ("ts",), ("lat", "lon"), ("temperature_c",), ("humidity",)):
        payload = {name: value for name, value in whole.items() if name not in left_out}
        time_ms = KAFKA_TIME_MS if "ts" in left_out else KAFKA_TIME_MS - 10_000
        expected = Reading("d1", time_ms, {n: v for n, v in metrics.items() if n not in left_out})
        assert decode_record(json.dumps(payload).encode(), KAFKA_TIME_MS, SKEW_MS) == expected


@pytest.mark.parametrize(("value", "reason"), CASES.values(), ids=CASES)
def test_one_bad_record_leaves_its_batch_alone(value, reason):
    good = b'{"device_id":"g","ts":1767225600000}'
    outcomes = decided([good, value, good])
    assert outcomes[0] == outcomes[2] == Reading("g", KAFKA_TIME_MS)
    assert outcomes[1] == decode_record(value, KAFKA_TIME_MS, SKEW_MS)


def test_all_kinds_in_one_batch_are_judged_as_alone():
    values = [value for value, _ in CASES.values()]
    assert decided(values) == [decode_record(v, KAFKA_TIME_MS, SKEW_MS) for v in values]


ALIVE = [Reason.BAD_TIME, Reason.FUTURE_TIMESTAMP, Reason.WRONG_TYPE, Reason.UNKNOWN_UNIT]


@pytest.mark.parametrize("reason", ALIVE)
def test_a_device_that_sends_rubbish_is_not_silent(reason):
    for value, expected in CASES.values():
        if expected is reason:
            rejection = decode_record(value, KAFKA_TIME_MS, SKEW_MS)
            assert rejection == Rejection(reason, "d1", KAFKA_TIME_MS, rejection.ahead_ms)
            assert (rejection.ahead_ms > SKEW_MS) is (reason is Reason.FUTURE_TIMESTAMP)


@pytest.mark.parametrize("value", ALMOST_JSON.values(), ids=ALMOST_JSON)
def test_what_is_almost_json_shows_that_its_device_lives(value):
    assert decode_record(value, KAFKA_TIME_MS, SKEW_MS) == Rejection(Reason.MALFORMED, "d1", KAFKA_TIME_MS)
    assert decode_record(value, LAST_MS + 1, SKEW_MS) == Rejection(Reason.MALFORMED)


def test_only_rejections_with_one_valid_id_are_signs_of_life():
    for name, (value, reason) in CASES.items():
        if reason is not None and reason not in ALIVE and name not in ALMOST_JSON:
            assert decode_record(value, KAFKA_TIME_MS, SKEW_MS) == Rejection(reason)


@pytest.mark.parametrize(
    "value",
    [
        b'{"device_id":"d1","device_id":"d2",',
        b'{"device_id":"d1","sensor_id":"d1",',
        b'{"device_id":"d1","device\\u005fid":"d2",',
        b'{"device_id":null,"x":NaN}',
        b'{"device_id":7,"x":NaN}',
        b'{"device_id":"d\\u0031","x":NaN}',
        b'{"device_id":"d1"d2","x":1}',
        b'{"device_id":"d1',
        b'{"device_id":"d1"',
        b'{"device_id":"d\n1","x":1}',
        b'{"device_id":"\xff","x":1}',
        b'{"device_id":"d\x7f","x":NaN}',
        b'{"device_id":"","x":NaN}',
        b'{"device_id":"%b","x":NaN}' % (b"d" * 129),
        b'{"x":{"device_id":"d1","y":NaN}}',
        b'{"x":["device_id":"d1",NaN]}',
        b'{"x":"a","y":"{"device_id":"d1",NaN}"}',
        b'[{"device_id":"d1","x":NaN}]',
        b'{} {"device_id":"d1","x":NaN}',
        b'x{"device_id":"d1","x":NaN}',
        b"{'device_id':'d1','x':NaN}",
        b'{"Device_id":"d1","x":NaN}',
        b'\x00{"device_id":"d1","x":NaN}',
    ],
)
def test_an_id_that_is_not_plain_to_see_in_almost_json_is_nobodys(value):
    assert decode_record(value, KAFKA_TIME_MS, SKEW_MS) == Rejection(Reason.MALFORMED)


def test_ids_that_agree_are_read_as_the_dialect_whose_time_is_there():
    sensor = CASES["both ids, one time"][0]
    assert decode_record(sensor, KAFKA_TIME_MS, SKEW_MS) == Reading("d1", KAFKA_TIME_MS, {"temperature_c": 21})
    telemetry = b'{"device_id":"d1","sensor_id":"d1","device-id":"d1","ts":1767225590000,"humidity":40}'
    assert decode_record(telemetry, KAFKA_TIME_MS, SKEW_MS) == Reading("d1", 1767225590000, {"humidity": 40})


def test_large_values_are_rejected_before_they_are_copied():
    values = [b"x" * (4 << 20)] * 128
    tracemalloc.start()
    try:
        batch = decode_batch(values, [KAFKA_TIME_MS] * len(values), SKEW_MS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert {rejection.reason for rejection in batch.rejections.values()} == {Reason.TOO_LARGE}
    assert peak < 1 << 20


def nested(depth):
    return b'{"device_id":"d1","x":' + (b"[" * (depth - 1) + b"]" * (depth - 1) or b"1") + b"}"


def at_depth(frames, call):
    return call() if frames == 0 else at_depth(frames - 1, call)


def used_frames():
    return len(list(traceback.walk_stack(sys._getframe())))


@pytest.mark.parametrize("left", [50, 70, 100, 500])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_how_deep_a_document_may_nest_does_not_hang_on_the_stack_of_who_asks(left, ascii_only):
    extra = b"" if ascii_only else "ü".encode()
    values = [nested(depth).replace(b'"d1"', b'"d1' + extra + b'"') for depth in (1, MAX_DEPTH, MAX_DEPTH + 1)]
    outcomes = at_depth(sys.getrecursionlimit() - used_frames() - left, lambda: decided(values))
    reasons = [getattr(outcome, "reason", None) for outcome in outcomes]
    assert reasons == [None, None, Reason.MALFORMED]


def test_a_lot_with_one_document_too_deep_rejects_that_one():
    values = [nested(2)] * 60 + [nested(MAX_DEPTH + 1)] + [nested(MAX_DEPTH)] * 60
    reasons = [getattr(outcome, "reason", None) for outcome in decided(values)]
    assert reasons == [None] * 60 + [Reason.MALFORMED] + [None] * 60


def test_a_wrong_type_counts_as_life_at_its_own_time_when_that_is_earlier():
    value = b'{"device_id":"d1","ts":1767225590000,"humidity":"damp"}'
    assert decode_record(value, KAFKA_TIME_MS, SKEW_MS) == Rejection(Reason.WRONG_TYPE, "d1", 1767225590000)


@pytest.mark.parametrize("ahead_ms", [-1, 0, 1, SKEW_MS])
@pytest.mark.parametrize("behind_ms", [-1, 0, 1, SKEW_MS, SKEW_MS + 1])
def test_no_event_time_is_beyond_the_last_that_can_be_written(ahead_ms, behind_ms):
    kafka_time_ms = LAST_MS - behind_ms
    value = b'{"device_id":"d1","ts":%d}' % ((LAST_MS + ahead_ms) * 1_000_000)  # smaller units are not that late
    alone = decode_record(value, kafka_time_ms, SKEW_MS)
    batch = decode_batch([value], [kafka_time_ms], SKEW_MS)
    assert batch.rejections.get(0, reading_at(batch, 0)) == alone
    if behind_ms < 0:
        assert alone == Rejection(Reason.BAD_TIME)
    elif ahead_ms > 0 or ahead_ms + behind_ms > SKEW_MS:
        assert alone == Rejection(Reason.FUTURE_TIMESTAMP, "d1", kafka_time_ms, min(ahead_ms, 0) + behind_ms)
    else:
        assert alone == Reading("d1", LAST_MS + ahead_ms)


def test_a_name_that_hides_behind_a_record_without_one_is_still_seen():
    twice = b'{"device_id":"a","device_id":"b","ts":1767225600000}'
    none = b'{"ts":1767225600000}'
    outcomes = decided([twice, none])
    assert [o.reason for o in outcomes] == [Reason.AMBIGUOUS_IDENTITY, Reason.UNKNOWN_SCHEMA]


def test_a_time_that_hides_behind_a_record_without_one_is_still_seen():
    twice = b'{"device_id":"a","ts":1767225600000,"ts":1767225600001}'
    none = b'{"device_id":"b"}'
    outcomes = decided([twice, none])
    assert outcomes == [Rejection(Reason.BAD_TIME, "a", KAFKA_TIME_MS), Reading("b", KAFKA_TIME_MS)]


def test_a_document_does_not_go_on_in_the_next_value():
    for broken in (
        [b'{"device_id":"a"', b'"ts":1767225600000}'],
        [b'{"device_id":"a","x":[{}', b'{}],"ts":1767225600000}'],
    ):
        together = [*broken, b'{"device_id":"b","ts":1767225600000}{"device_id":"c","ts":1767225600000}']
        assert [o.reason for o in decided(together)] == [Reason.MALFORMED] * 3


def test_a_large_batch_is_decided_as_single_records_are():
    good = [b'{"device_id":"d%d","ts":%d}' % (i, KAFKA_TIME_MS - i) for i in range(1_000)]
    values = [
        *good[:300],
        b"rubbish",
        *good[300:],
        b'{"device-id":"e","time":"2026-01-01T00:00:00Z"}',
        b'{"device_id":"f"}',
    ]
    assert decided(values) == [decode_record(v, KAFKA_TIME_MS, SKEW_MS) for v in values]


class _Raw(NamedTuple):
    """JSON text that stands as it is."""

    text: str


_text = st.text(max_size=6)
_scalar = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | _text
_names = st.sampled_from(
    [
        *("device_id", "device-id", "sensor_id", "ts", "time", "timestamp", "temperature_c", "humidity", "lat", "lon"),
        *("event_type", "payload", "sensor_type", "value", "unit", "location", "x", "temperature", "battery", "name"),
    ]
)
_likely = st.sampled_from(
    ["d1", KAFKA_TIME_MS, KAFKA_TIME_MS // 1000, "2026-01-01T00:00:00Z", 21.5, None, "temperature", "°C", "K"]
)
_digits = st.integers(0, 10**12).map(str)
_numbers = st.builds(  # as people and programs write them, beyond what a float holds
    "{}{}{}{}".format,
    st.sampled_from(["", "-"]),
    _digits,
    st.sampled_from(["", ".0", ".25", ".9999999999999999", ".1234567890123456789012345678901234567890"]),
    st.sampled_from(["", "e3", "E-3", "e308", "e309", "e1000000", "e-1000000", "e9999999999999999999"]),
)
_types = st.sampled_from(["temperature", "vibration", "Location", "BATTERY", "custom", "co2", "ü", "", 7])
_nested = st.dictionaries(
    st.sampled_from(
        ["value", "unit", "name", "lat", "lon", "factory_section", "machine_id", "zone", "y", "battery", "temperature"]
    ),
    st.floats(-1e3, 1e3) | _likely | st.sampled_from(["co2", "%", "F", "mw", ""]),
    max_size=4,
)
_objects = st.lists(
    st.tuples(_names, _scalar | _likely | _numbers.map(_Raw) | st.lists(_scalar, max_size=2) | _nested), max_size=5
) | st.tuples(
    st.tuples(st.sampled_from(["device_id", "sensor_id"]), st.just("d1")),
    st.tuples(st.sampled_from(["event_type", "sensor_type"]), _types),
    st.tuples(st.sampled_from(["payload", "value"]), _nested | st.floats(-1e3, 1e3)),
    st.tuples(st.sampled_from(["location", "unit"]), _nested | st.sampled_from(["%", "°C", "F", "kPa", "", None])),
    st.tuples(st.sampled_from(["humidity", "battery", "temperature", "x"]), st.floats(-1e3, 1e3) | _likely),
)


def _as_json(pairs, ascii_only):
    texts = (v.text if isinstance(v, _Raw) else json.dumps(v, ensure_ascii=ascii_only) for _, v in pairs)
    fields = ",".join(f"{json.dumps(name)}:{text}" for (name, _), text in zip(pairs, texts, strict=True))
    return ("{" + fields + "}").encode(errors="surrogatepass")


@st.composite
def _values(draw):
    value = _as_json(draw(_objects), draw(st.booleans()))
    for _ in range(draw(st.integers(0, 2))):  # bend some of them
        at = draw(st.integers(0, len(value)))
        value = value[:at] + draw(st.binary(max_size=2)) + value[at + draw(st.integers(0, 2)) :]
    return value


@settings(max_examples=1500)
@given(st.lists(_values() | st.sampled_from([v for v, _ in CASES.values() if v is None or len(v) < 500]), max_size=6))
def test_batches_are_decided_as_single_records_are(values):
    assert decided(values) == [decode_record(v, KAFKA_TIME_MS, SKEW_MS) for v in values]


@pytest.mark.parametrize("fault", [ArithmeticError, KeyError, RecursionError, MemoryError, AssertionError])
def test_an_unexpected_error_rejects_one_record_and_stops_nothing(monkeypatch, fault):
    def fail(*_):
        raise fault("nobody foresaw this")

    monkeypatch.setattr("fleetpulse.records.batch.decode_record", fail)
    outcomes = decided([b'{"device_id":"g","ts":1767225600000}', b"{"])
    assert outcomes == [Reading("g", KAFKA_TIME_MS), Rejection(Reason.INTERNAL_ERROR)]


def test_a_registry_that_is_away_stops_the_job_and_rejects_nothing():
    def away(_schema_id):
        raise FleetpulseError("the schema registry is away")

    with pytest.raises(FleetpulseError, match="is away"):
        decode_batch([b"\0\0\0\0\1"], [KAFKA_TIME_MS], SKEW_MS, avro=SensorReadings(away))
