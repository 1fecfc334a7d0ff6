"""Values that must be rejected, each with the reason that docs/contracts.md gives for it.

Templates name the parts of a good record: $id and $time are the names of the two fields, $device and $now their values.
A character from U+DC80 to U+DCFF stands for the one raw byte it hides, so that bytes that are not UTF-8 can be written.
"""

from typing import NamedTuple

from generator.payloads import avro
from generator.scenario import Dialect

_TOO_LARGE_BYTES = 2 << 20
_TOO_LARGE_EVERY = 64  # among malformed values, so that they do not fill the topic


_OF_THE_LIVING = frozenset({"bad_time", "wrong_type", "unknown_unit", "future_timestamp"})


class Malformed(NamedTuple):
    """One kind of malformed value. It is a heartbeat if its reason counts as one, or its id can still be read."""

    reason: str
    template: str | None  # None is a tombstone
    names_its_device: bool = False

    @property
    def is_heartbeat(self) -> bool:
        """Whether it counts as a heartbeat."""
        return self.names_its_device or self.reason in _OF_THE_LIVING


TOO_LARGE = Malformed("too_large", '{"$id":"$device","$time":$now,"pad":"' + "x" * _TOO_LARGE_BYTES + '"}')

_COMMON = (
    Malformed("empty", None),
    Malformed("empty", ""),
    Malformed("malformed", '{"$id":"$device","$time":', names_its_device=True),  # truncated
    Malformed("malformed", "not JSON"),
    Malformed("malformed", "   "),
    Malformed("malformed", "{'$id':'$device','$time':$now}"),
    Malformed("malformed", '{"$id":"$device","$time":$now,}', names_its_device=True),
    Malformed("malformed", '{"$id":"$device","$time":NaN}', names_its_device=True),
    Malformed("malformed", '{"$id":"$device\0","$time":$now}'),  # a raw NUL
    Malformed("malformed", '{"$id":"$device\n","$time":$now}'),  # a raw line feed inside a string
    Malformed("malformed", '{"$id":"$device\udcff","$time":$now}'),  # not UTF-8
    Malformed("malformed", '{"$id":"$device\udced\udca0\udc80","$time":$now}'),  # an encoded surrogate
    Malformed("malformed", '\ufeff{"$id":"$device","$time":$now}', names_its_device=True),  # a byte order mark
    Malformed("malformed", '{"$id":"$device","$time":$now}{"$id":"$device","$time":$now}'),  # two documents
    Malformed("malformed", '{"$id":"$device","$time":$now}\n{"$id":"$device","$time":$now}'),
    Malformed("not_an_object", '[{"$id":"$device","$time":$now}]'),
    Malformed("not_an_object", '"$device"'),
    Malformed("not_an_object", "42"),
    Malformed("not_an_object", "null"),
    Malformed("unknown_schema", "{}"),
    Malformed("unknown_schema", '{"name":"$device","$time":$now}'),
    Malformed("bad_device_id", '{"$id":null,"$time":$now}'),
    Malformed("bad_device_id", '{"$id":"","$time":$now}'),
    Malformed("bad_device_id", '{"$id":42,"$time":$now}'),
    Malformed("bad_device_id", '{"$id":["$device"],"$time":$now}'),
    Malformed("bad_device_id", '{"$id":"$device\\u0000","$time":$now}'),
    Malformed("bad_device_id", '{"$id":"' + "d" * 10_000 + '","$time":$now}'),
    Malformed("ambiguous_identity", '{"$id":"$device","$id":"other","$time":$now}'),
    Malformed("bad_time", '{"$id":"$device","$time":$now,"$time":1}'),
    Malformed("bad_time", '{"$id":"$device","$time":0}'),
    Malformed("bad_time", '{"$id":"$device","$time":-$now}'),
    Malformed("bad_time", '{"$id":"$device","$time":"yesterday"}'),
    Malformed("bad_time", '{"$id":"$device","$time":true}'),
    Malformed("bad_time", '{"$id":"$device","$time":[$now]}'),
    Malformed("bad_time", '{"$id":"$device","$time":"2026-02-30T00:00:00Z"}'),
    Malformed("bad_time", '{"$id":"$device","$time":"2016-12-31T23:59:60Z"}'),
    Malformed("future_timestamp", '{"$id":"$device","$time":"2999-01-01T00:00:00Z"}'),
)

_TELEMETRY = (
    Malformed("wrong_type", '{"$id":"$device","$time":$now,"temperature_c":"21.5"}'),
    Malformed("wrong_type", '{"$id":"$device","$time":$now,"humidity":true}'),
    Malformed("wrong_type", '{"$id":"$device","$time":$now,"lat":[48.1],"lon":11.6}'),
)

_SENSOR = (
    Malformed("wrong_type", '{"$id":"$device","$time":$now,"sensor_type":"temperature","value":"21.5"}'),
    Malformed("wrong_type", '{"$id":"$device","$time":$now,"sensor_type":"pressure","value":[1013]}'),
    Malformed("unknown_unit", '{"$id":"$device","$time":$now,"sensor_type":"energy","value":100,"unit":"furlongs"}'),
)

_TYPED = (
    Malformed("wrong_type", '{"$id":"$device","$time":$now,"event_type":"humidity","payload":{"value":"40"}}'),
    Malformed("wrong_type", '{"$id":"$device","$time":$now,"event_type":"location","payload":{"lat":true,"lon":1}}'),
    Malformed("unknown_unit", '{"$id":"$device","$time":$now,"event_type":"battery","payload":{"value":3,"unit":"V"}}'),
)
# Their templates are the names of what generator.avro does.
_AVRO = tuple(Malformed(kind[0], how) for how, kind in (avro.BROKEN_BYTES | avro.BROKEN_FIELDS).items())

KINDS = {
    Dialect.EVENT: _COMMON,
    Dialect.TELEMETRY: _COMMON + _TELEMETRY,
    Dialect.SENSOR: _COMMON + _SENSOR,
    Dialect.TYPED: _COMMON + _TYPED,
    Dialect.AVRO: (Malformed("empty", None), *_AVRO),
}
FIELDS = {
    Dialect.EVENT: ("device-id", "time"),
    Dialect.TELEMETRY: ("device_id", "ts"),
    Dialect.SENSOR: ("sensor_id", "timestamp"),
    Dialect.TYPED: ("device_id", "ts"),
    Dialect.AVRO: ("device_id", "ts"),
}
"""The names of the id and of the time."""


def choose(dialect: Dialect, bits: int) -> Malformed:
    """Return the kind that 64 random bits select."""
    if bits % _TOO_LARGE_EVERY == 0:
        return TOO_LARGE
    kinds = KINDS[dialect]
    return kinds[(bits >> 6) % len(kinds)]


def value_of(kind: Malformed, dialect: Dialect, device_id: str, time_ms: int, schema_id: int = 1) -> bytes | None:
    """Write `kind` as `device_id` would have sent it at `time_ms` (epoch ms); None for a tombstone."""
    if kind.template is None:
        return None
    if kind in _AVRO:
        return avro.broken(kind.template, schema_id, device_id, time_ms)
    id_name, time_name = FIELDS[dialect]
    text = kind.template.replace("$id", id_name).replace("$time", time_name)
    return text.replace("$device", device_id).replace("$now", str(time_ms)).encode("utf-8", "surrogateescape")
