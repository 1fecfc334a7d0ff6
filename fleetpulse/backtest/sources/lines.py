"""History in a file of JSON lines: a record a line, or a record with where and when Kafka had it.

Three kinds of line are read:

- an envelope, `{"value": …, "kafka_time": …}` and, where known, `topic`, `partition` and `offset`;
- what `kcat -J` writes: `payload`, `ts`, `topic`, `partition` and `offset`;
- the record itself, which came when it says.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from fleetpulse.backtest.sources.ahead import ahead_of_neighbours
from fleetpulse.backtest.sources.history import Chunk, Stream, chunk_size, since
from fleetpulse.cli.durations import parse_instant_ms
from fleetpulse.cli.files import read_bytes
from fleetpulse.errors import ConfigurationError
from fleetpulse.records.batch import decode_batch
from fleetpulse.times import LAST_MS, iso

_SETTING = "--json.lines"
_MS = range(10**11, 10**14)  # as a number these are milliseconds without a look at the rest of the grammar
_SHOWN = 5


class _Envelope(msgspec.Struct):
    """A record in its envelope; `value` is the record's own object, or its text."""

    value: msgspec.Raw
    kafka_time: int
    topic: str = "lines"
    partition: int = 0
    offset: int | None = None


class _Record(NamedTuple):
    offset: int
    kafka_time_ms: int | None
    value: bytes | None


T = TypeVar("T")
_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode


class _EnvelopeError(Exception):
    """Why an envelope cannot be read."""


def streams(file: Path, from_ms: int | None, note: Callable[[str], None]) -> list[Stream]:
    """What a file holds, by Kafka timestamp from an instant on.

    Args:
        file: to read.
        from_ms: where to begin.
        note: takes a sentence about lines that people should look at.

    Raises:
        ConfigurationError: it cannot be read; names the line and what is wrong.
    """
    records: dict[tuple[str, int], list[_Record]] = defaultdict(list)
    for number, text in enumerate(read_bytes(file, _SETTING).splitlines()):
        if text.strip():
            try:
                partition, record = _read(number, text)
            except _EnvelopeError as bad:
                raise ConfigurationError(f"{_SETTING}: {file}:{number + 1}: {bad}") from None
            records[partition].append(record)
    size = chunk_size(len(records))
    return [
        Stream(*partition, since(_chunks(found, _arrivals_ms(found, note), size), from_ms))
        for partition, found in records.items()
    ]


def _read(number: int, text: bytes) -> tuple[tuple[str, int], _Record]:
    try:
        line = _decoded(_decode_envelope, text)
        if line.kafka_time in _MS and line.partition >= 0 and (line.offset or 0) >= 0:
            offset = number if line.offset is None else line.offset
            return (line.topic, line.partition), _Record(offset, line.kafka_time, _value(line.value))
    except msgspec.DecodeError:
        pass
    fields = _fields(text)
    if "kafka_time" in fields:
        return _from_envelope(number, fields, "kafka_time", "value")
    if "payload" in fields and fields.keys() & {"tstype", "partition", "offset"}:
        return _from_envelope(number, fields, "ts", "payload")
    return ("lines", 0), _Record(number, None, text)  # no envelope: the line is the record


def _fields(text: bytes) -> dict[str, msgspec.Raw]:
    """The fields of an object; none where the line is something else, and so a record for better or worse."""
    try:
        return _decoded(_decode_fields, text)
    except msgspec.DecodeError as bad:
        if b'"kafka_time"' in text or (b'"payload"' in text and b'"partition"' in text):
            raise _EnvelopeError(f"it looks like an envelope and cannot be read: {bad}") from None
        return {}


def _from_envelope(
    number: int, fields: dict[str, msgspec.Raw], time: str, value: str
) -> tuple[tuple[str, int], _Record]:
    if missing := {time, value} - fields.keys():
        raise _EnvelopeError(f"{min(missing)}: missing")
    topic = _as(str, fields, "topic", "lines")
    partition, offset = _as(int, fields, "partition", 0), _as(int, fields, "offset", number)
    if partition < 0 or offset < 0:
        raise _EnvelopeError(f"partition {partition}, offset {offset}: expected 0 or more")
    return (topic, partition), _Record(offset, _time_ms(time, bytes(fields[time])), _value(fields[value], value))


def _as(kind: type[T], fields: dict[str, msgspec.Raw], name: str, default: T) -> T:
    try:
        return _decoded(msgspec.json.Decoder(kind).decode, fields[name]) if name in fields else default
    except msgspec.DecodeError:
        raise _EnvelopeError(f"{name}: {_shown(fields[name])} is no {kind.__name__}") from None


def _time_ms(name: str, raw: bytes) -> int:
    try:
        text = _decoded(_decode_text, raw) if raw.startswith(b'"') else raw.decode(errors="backslashreplace")
        return parse_instant_ms(text)
    except (ValueError, msgspec.DecodeError) as bad:
        raise _EnvelopeError(f"{name}: {bad}") from None


def _value(raw: msgspec.Raw, name: str = "value") -> bytes | None:
    value = bytes(raw)
    if value == b"null":
        return None
    if not value.startswith(b'"'):
        return value
    try:
        return _decoded(_decode_text, value).encode()
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise _EnvelopeError(f"{name}: {_shown(value)} is no text") from None


def _decoded(decode: Callable[[bytes | msgspec.Raw], T], raw: bytes | msgspec.Raw) -> T:
    """What `decode` makes of JSON. For text that is not UTF-8 msgspec raises an error that is no DecodeError."""
    try:
        return decode(raw)
    except UnicodeDecodeError:
        raise msgspec.DecodeError("it is not UTF-8") from None


def _shown(raw: msgspec.Raw | bytes) -> str:
    return ascii(bytes(raw)[:40].decode(errors="backslashreplace"))


def _chunks(records: list[_Record], arrivals_ms: list[int], size: int) -> Iterator[Chunk]:
    for start in range(0, len(records), size):
        part = records[start : start + size]
        yield Chunk([r.offset for r in part], arrivals_ms[start : start + size], [r.value for r in part])


def _arrivals_ms(records: list[_Record], note: Callable[[str], None]) -> list[int]:
    """Kafka timestamps. Where a line has none its record came when it says, or with the one before it.

    A time far ahead of all around it is a wrong clock, not the time at which the line came.
    """
    bare = [at for at, record in enumerate(records) if record.kafka_time_ms is None]
    if not bare:
        return [record.kafka_time_ms or 0 for record in records]
    values = [records[at].value for at in bare]
    own_ms = decode_batch(values, [LAST_MS] * len(values), 0, measured=False).event_times_ms
    times_ms = {at: time_ms for at, time_ms in zip(bare, own_ms, strict=True) if 0 < time_ms < LAST_MS}
    ahead = {[*times_ms][index] for index in ahead_of_neighbours([*times_ms.values()])}
    if ahead:
        note(_of_ahead([(records[at].offset + 1, times_ms[at]) for at in sorted(ahead)]))
    told = [
        record.kafka_time_ms or (times_ms.get(at) if at not in ahead else None) for at, record in enumerate(records)
    ]
    before_ms = next((time_ms for time_ms in told if time_ms is not None), 1)
    arrivals_ms = []
    for time_ms in told:
        before_ms = time_ms if time_ms is not None else before_ms
        arrivals_ms.append(before_ms)
    return arrivals_ms


def _of_ahead(found: list[tuple[int, int]]) -> str:
    lines = ", ".join(f"line {number} ({iso(time_ms)})" for number, time_ms in found[:_SHOWN])
    rest = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    which = "1 line is" if len(found) == 1 else f"{len(found):,} lines are"
    return f"{which} far ahead of the lines around, and taken to have come with those: {lines}{rest}"
