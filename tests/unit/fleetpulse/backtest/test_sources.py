"""The same records make the same streams, in Parquet as in JSON lines."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleetpulse.backtest.sources import history as histories
from fleetpulse.backtest.sources import lines, parquet
from fleetpulse.backtest.sources.history import Stream
from fleetpulse.errors import ConfigurationError
from fleetpulse.records.frames import Original
from tests.unit.fleetpulse.backtest.histories import TOPIC, partition_of, write_lines
from tests.unit.fleetpulse.backtest.histories import streams as streams_of
from tests.unit.fleetpulse.shard.test_monitoring_shard import T0, history

RECORDS = history(6)
FROM_MS = T0 + 60_000


def rows(streams: list[Stream]) -> dict[tuple[str, int], list[tuple]]:
    return {
        (s.topic, s.partition): [row for chunk in s.chunks for row in zip(*chunk, strict=True)]
        for s in sorted(streams, key=lambda s: s.partition)
    }


def expected(from_ms: int = 0) -> dict[tuple[str, int], list[tuple]]:
    later = [r for r in RECORDS if r.kafka_time_ms >= from_ms]
    return {
        place: [(offset, time_ms, json.loads(value)) for offset, time_ms, value in found]
        for place, found in rows(streams_of(later, 3)).items()
    }


def parsed(found: dict[tuple[str, int], list[tuple]]) -> dict[tuple[str, int], list[tuple]]:
    return {place: [(o, t, json.loads(value)) for o, t, value in records] for place, records in found.items()}


def write_parquet(folder: Path, records: list[Original], int96: bool) -> None:
    """As a cold-storage job does: folders by hour, in each a file of each of two writers, with several partitions."""
    for minute in range(3):
        for writer in range(2):
            mine = [
                r for r in records if (r.kafka_time_ms - T0) // 60_000 == minute and partition_of(r, 3) % 2 == writer
            ]
            hour = folder / "dt=2026-01-01" / f"hour={minute:02d}"
            hour.mkdir(parents=True, exist_ok=True)
            table = pa.table(
                {
                    "offset": [r.offset for r in mine],
                    "value": [r.value for r in mine],
                    "topic": [TOPIC] * len(mine),
                    "partition": pa.array([partition_of(r, 3) for r in mine], pa.int32()),
                    "kafka_time": [datetime.fromtimestamp(r.kafka_time_ms / 1000, UTC) for r in mine],
                }
            )
            pq.write_table(table, hour / f"part-{minute}-{writer}", use_deprecated_int96_timestamps=int96)
    (folder / "dt=2026-01-01" / "_SUCCESS").touch()
    (folder / "dt=2026-01-01" / ".part-9.inprogress").write_bytes(b"half a file")


@pytest.mark.parametrize("int96", [False, True])
def test_parquet_files_are_read_partition_by_partition_in_the_order_of_offsets(tmp_path, int96, monkeypatch):
    monkeypatch.setattr(histories, "CHUNK", 1)
    write_parquet(tmp_path, RECORDS, int96)
    assert parsed(rows(parquet.streams(tmp_path, None))) == expected()
    assert parsed(rows(parquet.streams(tmp_path, FROM_MS))) == expected(FROM_MS)


def test_what_is_no_parquet_of_records_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="holds no files"):
        parquet.streams(tmp_path, None)
    pq.write_table(pa.table({"value": [b"{}"]}), tmp_path / "other.parquet")
    with pytest.raises(ConfigurationError, match=r"other.parquet has no columns value, topic, partition, offset"):
        parquet.streams(tmp_path, None)
    (tmp_path / "other.parquet").write_bytes(b"text")
    with pytest.raises(ConfigurationError, match=r"other.parquet"):
        parquet.streams(tmp_path, None)


def test_lines_in_envelopes_say_where_kafka_had_them(tmp_path):
    file = write_lines(tmp_path / "history.jsonl", RECORDS)
    assert parsed(rows(lines.streams(file, None))) == expected()
    assert parsed(rows(lines.streams(file, FROM_MS))) == expected(FROM_MS)


def test_bare_lines_came_when_they_say_or_with_the_line_before(tmp_path):
    file = tmp_path / "bare.jsonl"
    texts = [b'{"device_id":"d","ts":%d}' % T0, b"rubbish", b'{"device_id":"d"}', b'{"sensor_id":"s","value":7}']
    file.write_bytes(b"\n".join([*texts, b"", b'{"device_id":"d","ts":%d}' % (T0 + 5)]))
    [stream] = lines.streams(file, None)
    found = [row for chunk in stream.chunks for row in zip(*chunk, strict=True)]
    assert found == [
        *((n, T0, text) for n, text in enumerate(texts)),
        (5, T0 + 5, b'{"device_id":"d","ts":%d}' % (T0 + 5)),
    ]


def test_a_value_may_be_text_whatever_it_holds(tmp_path):
    file = tmp_path / "texts.jsonl"
    file.write_text('{"value": "{\\"broken\\"", "kafka_time": 5}\n')
    [stream] = lines.streams(file, None)
    assert [*stream.chunks] == [([0], [5], [b'{"broken"'])]
