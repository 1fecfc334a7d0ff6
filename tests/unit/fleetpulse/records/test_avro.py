"""Avro in Confluent wire format, from one schema to another."""

import json
import tracemalloc
from collections.abc import Callable
from copy import deepcopy
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.records.avro import SCHEMA, SensorReadings, UnknownSchemaError, encode, head
from fleetpulse.records.reading import Reading, Rejection, decode_avro
from fleetpulse.records.reasons import Reason

NOW_MS = 1_767_225_600_123
FULL = {"device_id": "d1", "ts": NOW_MS, "temperature_c": 21.5, "humidity": 45.0, "lat": 48.1, "lon": 11.6}
BARE = {"device_id": "d1", "ts": None, "temperature_c": None, "humidity": None, "lat": None, "lon": None}


def with_fields(*fields: dict[str, Any], without: str = "", **changed: Any) -> dict[str, Any]:
    """Our schema with fields added, one left out, or other types."""
    schema = deepcopy(SCHEMA)
    kept = [f for f in schema["fields"] if f["name"] != without]
    schema["fields"] = [*({"name": f["name"], "type": changed.get(f["name"], f["type"])} for f in kept), *fields]
    return schema


def written(schema: dict[str, Any], fields: dict[str, Any], schema_id: int = 7) -> bytes:
    body = BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(deepcopy(schema)), fields)
    return head(schema_id) + body.getvalue()


def read(schema: object, value: bytes) -> dict[str, object]:
    """Our fields of a record."""
    fields, _ = SensorReadings({7: schema}.__getitem__).fields_of(value)
    return {name: fields.get(name) for name in FULL}


def decided(schema: object, fields: dict[str, Any]) -> Reading | Rejection:
    """What becomes of a record written with a schema, sent at `NOW_MS`."""
    assert isinstance(schema, dict)
    readings = SensorReadings({7: schema}.__getitem__)
    return decode_avro(written(schema, fields), readings, NOW_MS, 60_000)


def test_what_is_encoded_is_decoded() -> None:
    assert read(SCHEMA, encode(7, FULL)) == FULL
    assert read(SCHEMA, encode(7, {"device_id": "d1"})) == BARE


def test_the_wire_format_is_a_zero_the_id_and_the_record() -> None:
    assert encode(258, {"device_id": "ab"}) == b"\x00\x00\x00\x01\x02" + b"\x04ab" + b"\x00" * 5


def test_what_does_not_fit_the_schema_is_not_encoded() -> None:
    with pytest.raises(ValueError, match="not a sensor reading"):
        encode(7, {"device_id": 1})


PRESSURE = {"name": "pressure", "type": ["null", "double"], "default": None}
SHAPES = {"name": "shape", "type": {"type": "map", "values": {"type": "array", "items": "bytes"}}}


@pytest.mark.parametrize(
    ("schema", "extra"),
    [
        pytest.param(with_fields(PRESSURE), {"pressure": 1.0}, id="a field that we do not know"),
        pytest.param(with_fields(SHAPES), {"shape": {"a": [b"b"]}}, id="one of a type that we do not use"),
        pytest.param(with_fields(without="humidity"), {"humidity": None}, id="a field removed"),
        pytest.param(with_fields(temperature_c="double", ts="long"), {}, id="fields that are never null"),
        pytest.param(with_fields(temperature_c=["double", "null"]), {}, id="branches the other way round"),
        pytest.param(with_fields(temperature_c=["null", "float"]), {}, id="a float"),
        pytest.param(with_fields(humidity="int"), {"humidity": 45}, id="an integer"),
        pytest.param({**SCHEMA, "namespace": "com.example"}, {}, id="another namespace"),
        pytest.param({**SCHEMA, "name": "Telemetry", "namespace": "com.example"}, {}, id="another name"),
        pytest.param(with_fields(device_id="bytes"), {"device_id": b"d1"}, id="an id of bytes"),
        pytest.param({**SCHEMA, "fields": SCHEMA["fields"][::-1]}, {}, id="another order"),
    ],
)
def test_compatible_schemas_are_read_as_ours(schema: dict[str, Any], extra: dict[str, Any]) -> None:
    expected = {name: (FULL | extra)[name] for name in FULL} | {"device_id": "d1"}
    assert read(schema, written(schema, FULL | extra)) == expected


def _long(logical_type: str) -> dict[str, str]:
    return {"type": "long", "logicalType": logical_type}


@pytest.mark.parametrize(
    ("time", "raw"),
    [
        (_long("timestamp-millis"), NOW_MS),
        (_long("local-timestamp-millis"), NOW_MS),
        (_long("timestamp-micros"), NOW_MS * 1000 + 999),
        (_long("timestamp-nanos"), NOW_MS * 1_000_000 + 999_999),
        ("long", NOW_MS),
        ("long", NOW_MS // 1000),
        ("double", NOW_MS / 1000),
        ("string", "2026-01-01T00:00:00.123Z"),
    ],
    ids=str,
)
@pytest.mark.parametrize("extra", [[], [PRESSURE]], ids=["as ours", "with a field more"])
def test_a_time_is_cut_to_milliseconds(time: Any, raw: object, extra: list[dict[str, Any]]) -> None:
    expected = NOW_MS // 1000 * 1000 if raw == NOW_MS // 1000 else NOW_MS
    for schema in (with_fields(*extra, ts=time), with_fields(*extra, ts=["null", time], humidity="float")):
        reading = decided(schema, FULL | {"ts": raw})
        assert isinstance(reading, Reading)
        assert reading.event_time_ms == expected


@pytest.mark.parametrize(
    ("unit", "per_ms"), [("millis", 1), ("micros", 1000), ("nanos", 1_000_000)], ids=["ms", "µs", "ns"]
)
def test_the_unit_of_the_schema_holds_whatever_the_size_of_the_number(unit: str, per_ms: int) -> None:
    schema = with_fields(ts=_long(f"timestamp-{unit}"))
    for at_ms in (1, 1_767_225_600, 99_999_999_999, NOW_MS):
        reading = decided(schema, FULL | {"ts": at_ms * per_ms + per_ms - 1})
        assert isinstance(reading, Reading)
        assert reading.event_time_ms == at_ms
    for raw in (0, -1, per_ms - 1, -(10**15)):
        assert decided(schema, FULL | {"ts": raw}) == Rejection(Reason.BAD_TIME, "d1", NOW_MS)


OTHER = {"type": "record", "name": "Other", "fields": [{"name": "x", "type": "long"}]}


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (["null", "double", "string"], "ERR"),
        ("boolean", True),
        ("bytes", b"21.5"),
        ({"type": "array", "items": "double"}, [21.5]),
        (OTHER, {"x": 1}),
        ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, b"\x08"),
        ("double", float("nan")),
    ],
    ids=str,
)
def test_a_metric_of_another_type_is_a_wrong_type_of_a_device_that_lives(metric: Any, value: object) -> None:
    schema = with_fields(temperature_c=metric)
    assert decided(schema, FULL | {"temperature_c": value}) == Rejection(Reason.WRONG_TYPE, "d1", NOW_MS)


def test_where_one_record_has_text_for_a_metric_another_with_a_number_is_read() -> None:
    schema = with_fields(temperature_c=["null", "double", "string"])
    reading = decided(schema, FULL)
    assert isinstance(reading, Reading)
    assert reading.metrics["temperature_c"] == 21.5


VALUE = encode(7, FULL)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"", "wire format"),
        (VALUE[:4], "wire format"),
        (b"\x01" + VALUE[1:], "wire format"),
        (json.dumps(FULL).encode(), "wire format"),
        (VALUE[:5], "not a record of schema 7"),
        (VALUE[:-1], "not a record of schema 7"),
        (head(7) + b"\x04\xff\xff" + b"\x00" * 5, "not a record of schema 7"),
        (head(7) + b"\x02a\x08" + b"\x00" * 5, "not a record of schema 7"),
        (head(7) + b"\x01" + b"\x00" * 20, "not a record of schema 7"),
        (VALUE + b"\x00", "1 bytes after the record"),
    ],
    ids=["empty", "head cut", "magic", "JSON", "no body", "cut", "not UTF-8", "no such branch", "length", "trailing"],
)
def test_what_is_malformed_says_why(value: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(SCHEMA, value)


TREE = {"type": "record", "name": "Tree", "fields": [{"name": "below", "type": ["null", "fleetpulse.Tree"]}]}


@pytest.mark.parametrize(
    "schema",
    [
        "string",
        [SCHEMA],
        {"type": "record"},
        {**SCHEMA, "fields": 42},
        {**SCHEMA, "fields": [{"name": "id", "type": "elsewhere.Defined"}]},
        with_fields(without="device_id"),
        with_fields(device_id="long"),
        with_fields({"name": "tree", "type": TREE}),
    ],
    ids=["primitive", "union", "nothing", "rubbish", "reference", "no id", "id", "recursive"],
)
def test_a_schema_that_is_none_of_ours_is_an_unknown_one(schema: object) -> None:
    readings = SensorReadings(lambda _id: schema)
    for _ in range(2):
        with pytest.raises(UnknownSchemaError, match="schema 7 cannot be read as a sensor reading"):
            readings.fields_of(head(7) + b"\x02a" + b"\x02" * 100)


def _record(name: str, *types: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": f"f{i}", "type": t} for i, t in enumerate(types)]}


def _nested(depth: int) -> Any:
    return "long" if depth == 0 else {"type": "array", "items": _nested(depth - 1)}


def _in_records(depth: int, inner: Any) -> Any:
    return inner if depth == 0 else _record(f"Nested{depth}", _in_records(depth - 1, inner))


NULLABLE = ["null", "string"]
EMPTY = _record("Empty")
NULLS = _record("Nulls", *["null"] * 20)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ({"type": "array", "items": "null"}, "arrays hold may take too few bytes"),
        ({"type": "array", "items": EMPTY}, "arrays hold may take too few bytes"),
        (
            {"type": "array", "items": {"type": "fixed", "name": "None", "size": 0}},
            "arrays hold may take too few bytes",
        ),
        ({"type": "array", "items": _record("Pair", "null", EMPTY)}, "arrays hold may take too few bytes"),
        ({"type": "array", "items": _record("Odd", "long", *["null"] * 20)}, "arrays hold may take too few bytes"),
        ({"type": "array", "items": ["null", NULLS]}, "arrays hold may take too few bytes"),
        ({"type": "map", "values": NULLS}, "maps hold may take too few bytes"),
        ({"type": "array", "items": {"type": "array", "items": EMPTY}}, "arrays hold may take too few bytes"),
        (_record("Wide", *["null"] * 10_100), "may take too much memory for its size"),
        (_nested(70), "types nest deeper than 64"),
        ({"type": "array", "items": _in_records(6, NULLABLE)}, "arrays hold may take too few bytes"),
        ({"type": "array", "items": _in_records(2, NULLABLE)}, "arrays hold may take too few bytes"),
        (
            {"type": "array", "items": _record("Tree", "int", EMPTY, *["Empty"] * 3)},
            "arrays hold may take too few bytes",
        ),
        ({"type": "array", "items": _record("Wide", "int", *["null"] * 6)}, "arrays hold may take too few bytes"),
        ({"type": "map", "values": _in_records(3, NULLABLE)}, "maps hold may take too few bytes"),
    ],
    ids=range(15),
)
def test_a_schema_by_which_few_bytes_could_take_long_is_refused(kind: Any, why: str) -> None:
    readings = SensorReadings(lambda _id: with_fields({"name": "x", "type": kind}))
    with pytest.raises(UnknownSchemaError, match=why):
        readings.fields_of(encode(7, FULL))


def fields_and_peak_memory(readings: SensorReadings, value: bytes) -> tuple[dict[str, Any], int]:
    """The fields of a record, and the most bytes that Python held at once while it read them."""
    tracemalloc.start()
    try:
        fields, _ = readings.fields_of(value)
        return fields, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("kind", "item"),
    [
        ({"type": "array", "items": _in_records(1, NULLABLE)}, b"\x00"),
        ({"type": "array", "items": _in_records(2, "double")}, b"\x01" * 8),
        ({"type": "array", "items": _record("Narrow", "int")}, b"\x7f"),
        ({"type": "array", "items": _record("Wide", *["int"] * 6)}, b"\x7f" * 6),
        ({"type": "array", "items": _record("Padded", *["int"] * 3, *["null"] * 8)}, b"\x7f" * 3),
        ({"type": "array", "items": ["null", _record("Pair", "string", "bytes")]}, b"\x02\x04ab\x04ab"),
        ({"type": "array", "items": {"type": "array", "items": "long"}}, b"\x02\x7f\x00"),
        ({"type": "array", "items": {"type": "map", "values": NULLABLE}}, b"\x02\x02a\x00\x00"),
    ],
    ids=range(8),
)
def test_a_record_takes_a_bounded_memory_for_its_bytes(kind: Any, item: bytes) -> None:
    readings = SensorReadings(lambda _id: with_fields({"name": "x", "type": kind}))
    readings.fields_of(encode(7, {"device_id": "d"}) + b"\x00")  # compiles the schema
    value = encode(7, {"device_id": "d"}) + b"\x80\x7d" + item * 8_000 + b"\x00"
    fields, peak = fields_and_peak_memory(readings, value)
    assert isinstance(found := fields["x"], list)
    assert len(found) == 8_000
    assert peak <= 224 * len(value) + (1 << 17)


def test_a_map_takes_a_bounded_memory_for_its_bytes() -> None:
    readings = SensorReadings(lambda _id: with_fields({"name": "x", "type": {"type": "map", "values": "int"}}))
    body = b"".join(b"\x08%04d\x7f" % number for number in range(8_000))
    value = encode(7, {"device_id": "d"}) + b"\x80\x7d" + body + b"\x00"
    fields, peak = fields_and_peak_memory(readings, value)
    assert isinstance(found := fields["x"], dict)
    assert len(found) == 8_000
    assert peak <= 224 * len(value) + (1 << 17)


def test_types_that_name_each_other_do_not_multiply() -> None:
    """Each holds the one before it twice: to read forty of them would take a million million steps."""
    types: list[Any] = [EMPTY]
    for number in range(40):
        name = types[-1]["name"]
        types.append(_record(f"Twice{number}", name, name))
    fields = [{"name": f"x{number}", "type": ["null", kind]} for number, kind in enumerate(types)]
    readings = SensorReadings(lambda _id: with_fields(*fields))
    with pytest.raises(UnknownSchemaError, match="may take too much memory for its size"):
        readings.fields_of(encode(7, FULL))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ({"type": "map", "values": "null"}, {"a": None}),
        ({"type": "array", "items": ["null", _record("Point", "double", "double")]}, [None, {"f0": 1.0, "f1": 2.0}]),
        ({"type": "array", "items": {"type": "map", "values": ["null", "string", OTHER]}}, [{"a": "b"}]),
        (["null", {"type": "fixed", "name": "Hash", "size": 16}], b"0123456789abcdef"),
        (
            _record("Named", {"type": "enum", "name": "Mode", "symbols": ["on"]}, {"type": "array", "items": "Mode"}),
            None,
        ),
    ],
    ids=range(5),
)
def test_what_schemas_have_in_practice_is_read_past(kind: Any, value: object) -> None:
    schema = with_fields({"name": "x", "type": kind})
    reading = decided(schema, FULL | {"x": {"f0": "on", "f1": ["on"]} if value is None else value})
    assert isinstance(reading, Reading)


def asked_for(schema_of: Callable[[int], object]) -> tuple[SensorReadings, list[int]]:
    asked: list[int] = []

    def ask(schema_id: int) -> object:
        asked.append(schema_id)
        return schema_of(schema_id)

    return SensorReadings(ask), asked


def test_each_id_is_asked_for_once() -> None:
    readings, asked = asked_for(lambda schema_id: SCHEMA if schema_id == 7 else "string")
    for schema_id in (7, 8, 7, 8):
        try:
            readings.fields_of(encode(schema_id, FULL))
        except UnknownSchemaError:
            assert schema_id == 8
    assert asked == [7, 8]


def test_an_unknown_id_is_asked_for_again() -> None:
    def unknown(schema_id: int) -> object:
        raise UnknownSchemaError(f"no schema {schema_id}")

    readings, asked = asked_for(unknown)
    for _ in range(2):
        with pytest.raises(UnknownSchemaError, match="no schema 7"):
            readings.fields_of(encode(7, FULL))
    assert asked == [7, 7]


BODIES = SensorReadings({1: SCHEMA, 2: with_fields(SHAPES), 3: with_fields(humidity="float")}.__getitem__)


@given(st.integers(1, 3), st.binary(max_size=60), st.integers(0, 40))
def test_no_body_does_worse_than_to_be_malformed(schema_id: int, rubbish: bytes, kept: int) -> None:
    try:
        fields, _ = BODIES.fields_of(head(schema_id) + VALUE[5 : 5 + kept] + rubbish)
    except ValueError:
        return
    assert fields.keys() >= FULL.keys()
