"""History in a file of JSON lines: a record a line, or a record with where and when Kafka had it."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from fleetpulse.backtest.sources.history import Chunk, Stream, chunk_size, since
from fleetpulse.errors import ConfigurationError
from fleetpulse.records.batch import decode_batch
from fleetpulse.times import LAST_MS


class _Line(msgspec.Struct):
    """A record in its envelope; `value` is the record's own object, or its text."""

    value: msgspec.Raw
    kafka_time: int
    topic: str = "lines"
    partition: int = 0
    offset: int | None = None


class _Record(NamedTuple):
    offset: int
    kafka_time_ms: int | None
    value: bytes


_decode_line = msgspec.json.Decoder(_Line).decode
_decode_text = msgspec.json.Decoder(str).decode


def streams(file: Path, from_ms: int | None) -> list[Stream]:
    """What a file holds, by Kafka timestamp from an instant on.

    Raises:
        ConfigurationError: it cannot be read.
    """
    records: dict[tuple[str, int], list[_Record]] = defaultdict(list)
    try:
        lines = file.read_bytes().splitlines()
    except OSError as failed:
        raise ConfigurationError(f"--json.lines: {file} cannot be read: {failed.strerror}") from None
    for number, text in enumerate(lines):
        if text.strip():
            partition, record = _read(number, text)
            records[partition].append(record)
    size = chunk_size(len(records))
    return [Stream(*partition, since(_chunks(found, size), from_ms)) for partition, found in records.items()]


def _read(number: int, text: bytes) -> tuple[tuple[str, int], _Record]:
    try:
        line = _decode_line(text)
        value = bytes(line.value)
        value = _decode_text(value).encode() if value.startswith(b'"') else value
        offset = number if line.offset is None else line.offset
        return (line.topic, line.partition), _Record(offset, line.kafka_time, value)
    except (msgspec.DecodeError, UnicodeEncodeError):  # no envelope: the line is the record
        return ("lines", 0), _Record(number, None, text)


def _chunks(records: list[_Record], size: int) -> Iterator[Chunk]:
    for start in range(0, len(records), size):
        offsets, kafka_times_ms, values = map(list, zip(*records[start : start + size], strict=True))
        yield Chunk(offsets, _told(kafka_times_ms, values), values)


def _told(kafka_times_ms: list[int | None], values: list[bytes]) -> list[int]:
    """Kafka timestamps; where a line tells none its record came when it says, or with the one before."""
    if None not in kafka_times_ms:
        return [time_ms for time_ms in kafka_times_ms if time_ms is not None]
    own_ms = decode_batch(values, [LAST_MS] * len(values), 0, measured=False).event_times_ms
    told: list[int] = []
    for kafka_time_ms, time_ms in zip(kafka_times_ms, own_ms, strict=True):
        before_ms = told[-1] if told else 1
        told.append(kafka_time_ms if kafka_time_ms is not None else time_ms if 0 < time_ms < LAST_MS else before_ms)
    return told
