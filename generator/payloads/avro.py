"""The telemetry dialect in Avro, and some malformed values of it."""

import json
from collections.abc import Callable

from fleetpulse.records.avro import LARGEST_ID, SCHEMA, encode, head
from generator.fleet.plan import Reading

_HEAD_BYTES = len(head(0))

BROKEN_BYTES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "another magic byte": ("malformed", lambda good: b"\x01" + good[1:]),
    "half a head": ("malformed", lambda good: good[:3]),
    "no body": ("malformed", lambda good: good[:_HEAD_BYTES]),
    "half a body": ("malformed", lambda good: good[: (_HEAD_BYTES + len(good)) // 2]),
    "bytes after the body": ("malformed", lambda good: good + b"\x00"),
    "JSON": ("malformed", lambda good: good[_HEAD_BYTES:].join([b'{"device_id":"', b'"}'])),
    "an unknown schema id": ("unknown_schema", lambda good: head(LARGEST_ID) + good[_HEAD_BYTES:]),
}
BROKEN_FIELDS: dict[str, tuple[str, dict[str, object]]] = {
    "an empty id": ("bad_device_id", {"device_id": ""}),
    "a control character": ("bad_device_id", {"device_id": "device\x00"}),
    "time zero": ("bad_time", {"ts": 0}),
    "a negative time": ("bad_time", {"ts": -1}),
    "a far future": ("future_timestamp", {"ts": 32_472_144_000_000}),
    "not a number": ("wrong_type", {"humidity": float("nan")}),
}
"""Why a value must be rejected, and what makes it so."""


def writer(telemetry: Callable[[Reading, int], bytes], schema_id: int) -> Callable[[Reading, int], bytes]:
    """Return the function that writes in Avro what `telemetry` writes in JSON, from the same reading and time."""
    names = {field["name"] for field in SCHEMA["fields"]}

    def write(reading: Reading, time_ms: int) -> bytes:
        said = json.loads(telemetry(reading, time_ms))
        return encode(schema_id, {name: said[name] for name in names & said.keys()} | {"ts": time_ms})

    return write


def broken(how: str, schema_id: int, device_id: str, time_ms: int) -> bytes:
    """Write a malformed value of one of these kinds."""
    fields = {"device_id": device_id, "ts": time_ms}
    if how in BROKEN_FIELDS:
        return encode(schema_id, fields | BROKEN_FIELDS[how][1])
    return BROKEN_BYTES[how][1](encode(schema_id, fields))
