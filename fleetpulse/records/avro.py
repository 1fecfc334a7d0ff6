"""Avro in Confluent wire format: a zero byte, the id of the writer's schema (4 bytes, big-endian), then the record.

A record is read with its writer's schema, and its fields are used by their names, as those of JSON are. Decoding
ignores logical types, since a datetime object costs more than the rest of the record; that of the time gives its
unit.
"""

import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from io import BytesIO
from struct import Struct
from sys import getsizeof
from typing import Any, NamedTuple, cast

from fastavro import parse_schema, schemaless_reader, schemaless_writer

SCHEMA: dict[str, Any] = json.loads(
    files("fleetpulse.schemas").joinpath("sensor-reading.avsc").read_text(encoding="utf-8")
)
LARGEST_ID = (1 << 31) - 1  # registries count in signed 32 bits

_HEAD = Struct(">BI")
_ID, _TIME = "device_id", "ts"
_UNITS_PER_MS = {
    f"{kind}timestamp-{unit}": units_per_ms
    for kind in ("", "local-")
    for unit, units_per_ms in (("millis", 1), ("micros", 1_000), ("nanos", 1_000_000))
}
_NAMES = frozenset({"string", "bytes", "enum"})  # types of which an id can be
_PRIMITIVES = frozenset({"boolean", "int", "long", "float", "double", "bytes", "string"})
_DEEPEST = 64
# A record of n bytes takes at most _MEMORY_A_BYTE * n + _FREE_BYTES bytes of memory: see `_free_bytes`.
_MEMORY_A_BYTE = 224
_FREE_BYTES = 1 << 17
# What values take in memory at most: a number, a short text, an array or a map, and its items beside their values.
_SCALAR, _TEXT, _EMPTY, _SLOT, _ENTRY = 32, 96, 96, 8, 160
_LEAST_BYTES = {"float": 4, "double": 8}


class UnknownSchemaError(LookupError):
    """A schema id that the registry does not know, or whose schema cannot be read as a sensor reading."""


class _Writer(NamedTuple):
    """How to read records of one schema."""

    schema: Any
    units_per_ms: int | None  # of the time; None if the schema does not say


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
    """The bytes before a record of this schema."""
    return _HEAD.pack(0, schema_id)


class SensorReadings:
    """Decodes records, whatever schema each was written with."""

    def __init__(self, schema_of: Callable[[int], object]) -> None:
        """`schema_of` gives an id's schema as parsed JSON, asked for once, or raises UnknownSchemaError."""
        self._schema_of = schema_of
        self._writers: dict[int, _Writer] = {}
        self._unreadable: dict[int, str] = {}

    def fields_of(self, value: bytes) -> tuple[dict[str, object], int | None]:
        """The fields of a record by name, and how many units of its time make a millisecond; None if unknown.

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
            fields = cast(dict[str, object], schemaless_reader(body, writer.schema, None))
        except Exception as torn:  # fastavro does not say which
            raise ValueError(f"not a record of schema {schema_id}: {torn}") from torn
        if body.tell() != len(value):
            raise ValueError(f"{len(value) - body.tell()} bytes after the record")
        if isinstance(device_id := fields[_ID], bytes):
            fields[_ID] = device_id.decode()
        return fields, writer.units_per_ms

    def _writer(self, schema_id: int) -> _Writer:
        if schema_id not in self._unreadable:
            schema = self._schema_of(schema_id)
            try:
                self._writers[schema_id] = writer = _compiled(schema)
            except Exception as bad:  # no record of a bad schema can be read
                self._unreadable[schema_id] = str(bad)
            else:
                return writer
        why = self._unreadable[schema_id]
        raise UnknownSchemaError(f"schema {schema_id} cannot be read as a sensor reading: {why}")


def _compiled(schema: object) -> _Writer:
    bare = _without(schema, "logicalType", "default")  # a default matters to readers only
    if not isinstance(bare, dict) or bare.get("type") != "record":
        raise ValueError("it is no record")
    theirs: Any = parse_schema(bare)
    if _free_bytes(theirs, {}) > _FREE_BYTES:
        raise ValueError("a record of it may take too much memory for its size")
    if not _NAMES & _types(theirs, _ID):
        raise ValueError(f"it has no {_ID} that is a text")
    return _Writer(theirs, _units_per_ms(schema))


def _without(schema: object, *names: str) -> Any:
    """A schema without some of its attributes, and without the marks that let fastavro skip its checks."""
    if isinstance(schema, list):
        return [_without(part, *names) for part in schema]
    if isinstance(schema, dict):
        kept = {name: part for name, part in schema.items() if name not in names and not name.startswith("__")}
        return {name: _without(part, *names) for name, part in kept.items()}
    return schema


def _free_bytes(schema: Any, known: dict[str, int], depth: int = 1) -> int:
    """How much more memory than `_MEMORY_A_BYTE` a byte something of a schema may take; negative for less.

    Arrays and maps count in a few bytes what they hold, so that must pay for itself: items of no bytes would let a
    record of ten bytes take years, and nested records are small as bytes and large in memory. `known` has the named
    types so far.

    Raises:
        ValueError: no bound can be given.
    """
    if depth > _DEEPEST:
        raise ValueError(f"its types nest deeper than {_DEEPEST}")
    if isinstance(schema, list):
        return max((_free_bytes(part, known, depth + 1) for part in schema), default=0) - _MEMORY_A_BYTE
    if isinstance(schema, str):
        return known[schema] if schema in known else _free_bytes_of_name(schema)
    match schema["type"]:
        case "record" | "error":
            parts = [_free_bytes(field["type"], known, depth + 1) for field in schema["fields"]]
            known[schema["name"]] = free = _size_of_dict(len(parts)) + sum(parts)
        case "enum":
            known[schema["name"]] = free = -_MEMORY_A_BYTE
        case "fixed":
            known[schema["name"]] = free = _TEXT - _MEMORY_A_BYTE * schema["size"]
        case "array" | "map" as kind:
            item = _free_bytes(schema["items" if kind == "array" else "values"], known, depth + 1)
            if item + (_SLOT if kind == "array" else _ENTRY - _MEMORY_A_BYTE) > 0:
                raise ValueError(f"what its {kind}s hold may take too few bytes for its memory")
            free = _EMPTY - _MEMORY_A_BYTE
        case inner:
            return _free_bytes(inner, known, depth + 1)
    return free


def _free_bytes_of_name(name: str) -> int:
    if name == "null":
        return 0
    if name not in _PRIMITIVES:  # parse_schema knows it: it is being defined
        raise ValueError("it contains itself")  # the depth of such a record is bounded by the C stack alone
    return (_TEXT if name in _NAMES else _SCALAR) - _MEMORY_A_BYTE * _LEAST_BYTES.get(name, 1)


def _size_of_dict(names: int) -> int:
    return getsizeof({str(name): None for name in range(names)})


def _types(record: dict[str, Any], name: str) -> set[str]:
    """The names of the possible types of a field."""
    fields = [field for field in record["fields"] if field["name"] == name]
    return {_type_name(part) for field in fields for part in _union(field["type"])}


def _union(schema: Any) -> list[Any]:
    return schema if isinstance(schema, list) else [schema]


def _type_name(schema: Any) -> str:
    return str(schema["type"] if isinstance(schema, dict) else schema)


def _units_per_ms(record: Any) -> int | None:
    """How many units of the writer's time make a millisecond."""
    [times] = [_union(field["type"]) for field in record["fields"] if field["name"] == _TIME] or [[]]
    logical = [_UNITS_PER_MS.get(str(part.get("logicalType"))) for part in times if isinstance(part, dict)]
    return next((units for units in logical if units is not None), None)


_OURS: Any = parse_schema(_without(SCHEMA, "logicalType"))
