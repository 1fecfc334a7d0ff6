"""Records in a file as the table `telemetry`, in the place of Kafka's."""

import base64
import json
import zlib
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from pyflink.table import Schema, StreamTableEnvironment

from fleetpulse.times import iso
from generator.payloads.records import Record
from jobs.wiring.arguments import interval

_TABLE = """
    CREATE TABLE recorded (
        `key` BYTES,
        `value` BYTES,
        `topic` STRING,
        `partition` INT,
        `offset` BIGINT,
        `kafka_time` TIMESTAMP_LTZ(3)
    ) WITH (
        'connector' = 'filesystem',
        'path' = '{path}',
        'format' = 'json',
        'json.timestamp-format.standard' = 'ISO-8601'
    )
"""


def write_records(file: Path, arriving: Iterable[Record], topic: str, partitions: int) -> None:
    """Write down records as one topic would have them, in the order in which they arrive."""
    with file.open("w") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in _rows(arriving, topic, partitions))


def _rows(arriving: Iterable[Record], topic: str, partitions: int) -> Iterator[dict[str, Any]]:
    offsets = [count() for _ in range(partitions)]
    for record in arriving:
        partition = zlib.crc32(record.key) % partitions
        yield {
            "key": base64.b64encode(record.key).decode(),
            "value": None if record.value is None else base64.b64encode(record.value).decode(),
            "topic": topic,
            "partition": partition,
            "offset": next(offsets[partition]),
            "kafka_time": iso(record.timestamp_ms),
        }


def read_records(tables: StreamTableEnvironment, file: Path, bound_ms: int) -> None:
    """Define `telemetry`: what `write_records` wrote, dealt out to all subtasks, with the Kafka timestamp as time.

    One subtask reads the whole file, so the order is kept until there; the watermark is made after that, in each.
    """
    tables.execute_sql(_TABLE.format(path=file.as_uri()))
    dealt = tables.to_data_stream(tables.from_path("recorded")).rebalance()
    watermark = f"`kafka_time` - INTERVAL '{interval(bound_ms + 1)}' DAY TO SECOND(3)"
    schema = Schema.new_builder().watermark("kafka_time", watermark).build()
    tables.create_temporary_view("telemetry", tables.from_data_stream(dealt, schema))
