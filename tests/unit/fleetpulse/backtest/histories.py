"""Histories for tests: the records of the monitoring shard's tests as streams, and its rules as files."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from fleetpulse.backtest.run import Settings
from fleetpulse.backtest.sources.history import Chunk, Stream
from fleetpulse.frames.frame import Original
from fleetpulse.inactivity.timeouts import InactivityPolicy

SETTINGS = Settings(InactivityPolicy())
TOPIC = "telemetry.raw"


def streams(records: Sequence[Original], partitions: int = 1, size: int = 100) -> list[Stream]:
    """Records spread over partitions by their devices, in chunks."""
    found: dict[int, list[Original]] = defaultdict(list)
    for record in records:
        found[partition_of(record, partitions)].append(record)
    return [Stream(TOPIC, partition, _chunks(own, size)) for partition, own in sorted(found.items())]


def partition_of(record: Original, partitions: int) -> int:
    """A partition that a device always has."""
    value = json.loads(record.value or b"")
    return sum(str(value.get("device_id") or value["sensor_id"]).encode()) % partitions


def _chunks(records: Sequence[Original], size: int) -> Iterator[Chunk]:
    for at in range(0, len(records), size):
        part = records[at : at + size]
        yield Chunk([r.offset for r in part], [r.kafka_time_ms for r in part], [r.value for r in part])


def write_rules(path: Path, rules: list[dict]) -> Path:
    """A rule file."""
    path.write_text(json.dumps({"rules": rules}))
    return path


def write_lines(path: Path, records: Sequence[Original], partitions: int = 3) -> Path:
    """Records as JSON lines in envelopes."""
    lines = [
        {"value": json.loads(r.value or b""), "kafka_time": r.kafka_time_ms, "topic": TOPIC, "offset": r.offset}
        | {"partition": partition_of(r, partitions)}
        for r in records
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path
