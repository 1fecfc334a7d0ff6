"""Avro in Confluent wire format: a zero byte, the id of the writer's schema (4 bytes, big-endian), then the record.

The writer's schema may differ from ours as far as Avro's rules of resolution allow. Times come out as integers, and
decoding looks past all logical types: a datetime object costs more than the rest of the record.
"""

import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from io import BytesIO
from struct import Struct
from typing import Any, NamedTuple, cast

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError

SCHEMA: dict[str, Any] = json.loads(
    files("fleetpulse.schemas").joinpath("sensor-reading.avsc").read_text(encoding="utf-8")
)
LARGEST_ID = (1 << 31) - 1  # registries count in signed 32 bits

_HEAD = Struct(">BI")
_TIME = "ts"
_PER_MS = {"micros": 1_000, "nanos": 1_000_000}  # by the end of the logical type's name


class UnknownSchemaError(LookupError):
    """A schema id that the registry does not know, or whose schema cannot be read as a sensor reading."""


class _Writer(NamedTuple):
    """How to read what was written with one schema."""

    schema: Any
    ours: Any  # our schema where fastavro must resolve each record to it; None where it reads alike
    units_per_ms: int  # of the time
    same: bool  # whether what comes out has our fields and milliseconds


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
    return _HEAD.pack(0, schema_id)


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
        if len(value) < _HEAD.size or value[0]:
            raise ValueError("not in Confluent wire format")
        _, schema_id = _HEAD.unpack_from(value)
        writer = self._writers.get(schema_id) or self._writer(schema_id)
        body = BytesIO(value)
        body.seek(_HEAD.size)
        try:
            fields: Any = schemaless_reader(body, writer.schema, writer.ours)
        except SchemaResolutionError as differs:
            raise UnknownSchemaError(f"schema {schema_id} cannot be read as a sensor reading: {differs}") from differs
        except Exception as torn:  # fastavro does not say which
            raise ValueError(f"not a record of schema {schema_id}: {torn}") from torn
        if body.tell() != len(value):
            raise ValueError(f"{len(value) - body.tell()} bytes after the record")
        return cast(dict[str, object], fields) if writer.same else _as_ours(fields, writer)

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


def _as_ours(fields: Mapping[str, Any], writer: _Writer) -> dict[str, object]:
    ours: dict[str, Any] = {name: fields.get(name) for name in _BRANCHES}
    if ours[_TIME] is not None:
        ours[_TIME] //= writer.units_per_ms
    return ours


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
    units_per_ms = _units(schema)
    same = units_per_ms == 1 and (not alike or branches.keys() == _BRANCHES.keys())
    return _Writer(theirs, None if alike else _OURS, units_per_ms, same)


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
