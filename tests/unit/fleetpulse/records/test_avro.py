"""Avro in Confluent wire format, from one schema to another."""

import json
from collections.abc import Callable
from copy import deepcopy
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.records.avro import SCHEMA, SensorReadings, UnknownSchemaError, encode, head

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
    return SensorReadings({7: schema}.__getitem__).fields_of(value)


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
        pytest.param({**SCHEMA, "fields": SCHEMA["fields"][::-1]}, {}, id="another order"),
    ],
)
def test_compatible_schemas_are_read_as_ours(schema: dict[str, Any], extra: dict[str, Any]) -> None:
    expected = {name: (FULL | extra)[name] for name in FULL}
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
    ],
    ids=str,
)
@pytest.mark.parametrize("extra", [[], [PRESSURE]], ids=["as ours", "with a field more"])
def test_a_time_is_cut_to_milliseconds(time: Any, raw: int, extra: list[dict[str, Any]]) -> None:
    for schema in (with_fields(*extra, ts=time), with_fields(*extra, ts=["null", time], humidity="float")):
        assert read(schema, written(schema, FULL | {"ts": raw}))["ts"] == NOW_MS


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
        {**SCHEMA, "name": "Another"},
        {**SCHEMA, "fields": [{"name": "id", "type": "elsewhere.Defined"}]},
        with_fields(without="device_id"),
        with_fields(device_id="long"),
        with_fields(temperature_c="string"),
        with_fields({"name": "tree", "type": TREE}),
    ],
    ids=["primitive", "union", "nothing", "rubbish", "name", "reference", "no id", "id", "metric", "recursive"],
)
def test_a_schema_that_is_none_of_ours_is_an_unknown_one(schema: object) -> None:
    readings = SensorReadings(lambda _id: schema)
    for _ in range(2):
        with pytest.raises(UnknownSchemaError, match="schema 7 cannot be read as a sensor reading"):
            readings.fields_of(head(7) + b"\x02a" + b"\x02" * 100)


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
        fields = BODIES.fields_of(head(schema_id) + VALUE[5 : 5 + kept] + rubbish)
    except ValueError:
        return
    assert fields.keys() == FULL.keys()
