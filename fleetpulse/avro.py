"""Avro in Confluent wire format: a zero byte, the id of the writer's schema (4 bytes, big-endian), then the record.

The writer's schema may differ from ours as far as Avro's rules of resolution allow. Times come out as integers, and
decoding looks past all logical types: a datetime object costs more than the rest of the record.
"""

import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from io import BytesIO
from typing import Any, NamedTuple, cast

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError

SCHEMA: dict[str, Any] = json.loads(files("schemas").joinpath("sensor-reading.avsc").read_text(encoding="utf-8"))
LARGEST_ID = (1 << 31) - 1  # registries count in signed 32 bits

_MAGIC = b"\0"
_HEAD_BYTES = 5
_TIME = "ts"
_PER_MS = {"micros": 1_000, "nanos": 1_000_000}  # by the end of the logical type's name


class UnknownSchemaError(LookupError):
    """A schema id that the registry does not know, or whose schema cannot be read as a sensor reading."""


class _Writer(NamedTuple):
    """How to read what was written with one schema."""

    schema: Any
    ours: Any  # our schema where fastavro must resolve each record to it; None where it reads alike
    project: bool  # whether the fields are others than ours
    units_per_ms: int  # of the time


def encode(schema_id: int, fields: Mapping[str, object]) -> bytes:
    """Write a reading with our schema; `ts` is epoch milliseconds.

    Raises:
        ValueError: the fields do not fit the schema.
    """
    body = BytesIO()
    try:
        schemaless_writer(body, _OURS, fields)
    except (TypeError, AttributeError, OverflowError) as unfit:
        raise ValueError(f"not a sensor reading: {unfit}") from unfit
    return head(schema_id) + body.getvalue()


def head(schema_id: int) -> bytes:
    """What stands before a record written with this schema."""
    return _MAGIC + schema_id.to_bytes(4)


class SensorReadings:
    """Decodes records, whatever schema each was written with."""

    def __init__(self, schema_of: Callable[[int], object]) -> None:
        """`schema_of` gives an id's schema as parsed JSON, asked for once, or raises UnknownSchemaError."""
        self._schema_of = schema_of
        self._writers: dict[int, _Writer] = {}
        self._unreadable: dict[int, str] = {}

    def fields_of(self, value: bytes) -> dict[str, object]:
        """The fields of our schema by name. A time is epoch milliseconds, or as written if it has no logical type.

        Raises:
            ValueError: the value is not in wire format, or its body is not one record of the schema it names.
            UnknownSchemaError: nothing can be read by that schema.
        """
        if value[:1] != _MAGIC or len(value) < _HEAD_BYTES:
            raise ValueError("not in Confluent wire format")
        schema_id = int.from_bytes(value[1:_HEAD_BYTES])
        writer = self._writers.get(schema_id) or self._writer(schema_id)
        body = BytesIO(value)
        body.seek(_HEAD_BYTES)
        fields = _read(body, schema_id, writer)
        if body.tell() != len(value):
            raise ValueError(f"{len(value) - body.tell()} bytes after the record")
        if writer.project:
            fields = {name: fields.get(name) for name in _BRANCHES}
        if writer.units_per_ms != 1 and fields[_TIME] is not None:
            fields[_TIME] //= writer.units_per_ms
        return fields

    def _writer(self, schema_id: int) -> _Writer:
        if schema_id not in self._unreadable:
            schema = self._schema_of(schema_id)
            try:
                self._writers[schema_id] = writer = _compiled(schema)
            except Exception as bad:  # whatever is wrong with a schema, no record of it can be read
                self._unreadable[schema_id] = str(bad)
            else:
                return writer
        why = self._unreadable[schema_id]
        raise UnknownSchemaError(f"schema {schema_id} cannot be read as a sensor reading: {why}")


def _read(body: BytesIO, schema_id: int, writer: _Writer) -> dict[str, Any]:
    try:
        return cast(dict[str, Any], schemaless_reader(body, writer.schema, writer.ours))
    except SchemaResolutionError as differs:
        raise UnknownSchemaError(f"schema {schema_id} cannot be read as a sensor reading: {differs}") from differs
    except Exception as torn:  # fastavro does not say which
        raise ValueError(f"not a record of schema {schema_id}: {torn}") from torn


def _compiled(schema: object) -> _Writer:
    bare = _without(schema, "logicalType", "default")  # a default counts for readers alone
    if not isinstance(bare, dict) or bare.get("type") != "record":
        raise ValueError("it is no record")
    theirs: Any = parse_schema(bare)
    if _names_itself(theirs):
        raise ValueError("it contains itself")  # the depth of such a record is bounded by the C stack alone
    branches = _branches(theirs)
    same_name = theirs["name"].split(".")[-1] == SCHEMA["name"]
    alike = same_name and all(branches.get(name, {"null"}) <= ours for name, ours in _BRANCHES.items())
    return _Writer(theirs, None if alike else _OURS, alike and branches.keys() != _BRANCHES.keys(), _units(schema))


def _without(schema: object, *names: str) -> Any:
    """A schema less some of its attributes, and less the marks by which fastavro would take it as checked."""
    if isinstance(schema, list):
        return [_without(part, *names) for part in schema]
    if isinstance(schema, dict):
        kept = {name: part for name, part in schema.items() if name not in names and not name.startswith("__")}
        return {name: _without(part, *names) for name, part in kept.items()}
    return schema


def _names_itself(schema: object, around: frozenset[str] = frozenset()) -> bool:
    if isinstance(schema, list):
        return any(_names_itself(part, around) for part in schema)
    if isinstance(schema, dict):
        inside = around | {schema["name"]} if "fields" in schema else around
        parts = [field["type"] for field in schema.get("fields", ())]
        parts += [schema[key] for key in ("type", "items", "values") if key in schema]
        return any(_names_itself(part, inside) for part in parts)
    return schema in around


def _branches(record: dict[str, Any]) -> dict[str, set[str]]:
    """The names of the types that each field may have."""
    return {field["name"]: {_type_name(part) for part in _union(field["type"])} for field in record["fields"]}


def _union(schema: Any) -> list[Any]:
    return schema if isinstance(schema, list) else [schema]


def _type_name(schema: Any) -> str:
    return str(schema["type"] if isinstance(schema, dict) else schema)


def _units(record: Any) -> int:
    """How many units of the writer's time make a millisecond."""
    [times] = [_union(field["type"]) for field in record["fields"] if field["name"] == _TIME] or [[]]
    logical = [str(part.get("logicalType")) for part in times if isinstance(part, dict)]
    return max((_PER_MS.get(name.rpartition("-")[2], 1) for name in logical), default=1)


_OURS: Any = parse_schema(_without(SCHEMA, "logicalType"))
_BRANCHES = _branches(_OURS)
