"""Cold storage: raw records as Parquet files, each once, whatever happens to the job."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow.dataset as ds
import pytest
from confluent_kafka import Producer
from pyarrow.fs import FileSystem, LocalFileSystem

from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.stack import rest, submit
from fleetpulse.topics import Topic
from tests.e2e.support.embedded import EmbeddedStack
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

FIVE_O_CLOCK_MS = 1_767_243_600_000
HOUR_MS = 3_600_000


def records(first: int, count: int) -> list[tuple[bytes | None, bytes | None, int]]:
    """Key, value and Kafka timestamp of records of two hours, some of them nothing that could be decoded."""
    odd = {0: b"\xff\x00 rubbish", 1: b"", 2: None}
    return [
        (
            None if n % 7 == 0 else b"d%d" % n,
            odd.get(n % 10, b'{"device_id":"d%d"}' % n),
            FIVE_O_CLOCK_MS + n % 2 * HOUR_MS,
        )
        for n in range(first, first + count)
    ]


class Cold:
    """A topic, a folder on a disk or in a bucket, and the job between them."""

    def __init__(self, stack: EmbeddedStack, uri: str, files: FileSystem) -> None:
        self.topic = f"raw.{uuid.uuid4().hex}"
        self._stack, self._uri, self._files = stack, uri, files
        self._savepoint: str | None = None
        # Retention counts from a record's own time, and these are old.
        ensure_topics(stack.bootstrap, [Topic(self.topic, 1, {"retention.ms": "-1"})])

    def write(self, first: int, count: int) -> None:
        producer = Producer({"bootstrap.servers": self._stack.bootstrap})
        for key, value, time_ms in records(first, count):
            producer.produce(self.topic, value, key, timestamp=time_ms)
        assert producer.flush(60) == 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the job from where it ended before, and end it with a savepoint."""
        layout = self._stack.layout
        arguments = [
            *submit.defaults(layout, "cold"),
            *("--events.topic", self.topic, "--cold.path", self._uri, "--checkpoint.interval.ms", "1000"),
        ]
        job = submit.submit(layout, "cold", arguments, self._savepoint)
        try:
            yield
        finally:
            self._savepoint = rest.savepoint(self._stack.flink_rest, job, layout.savepoints.as_uri(), True)

    def rows(self) -> int:
        """How many rows the finished files have."""
        return int(self.dataset().count_rows())

    def wait_for(self, rows: int) -> None:
        wait_until(f"{rows} rows in finished files", lambda: self.rows() >= rows)

    def dataset(self) -> ds.Dataset:
        """The finished files; names that begin with a dot are not."""
        uri = urlsplit(self._uri)
        path = f"{uri.netloc}{uri.path}"
        return ds.dataset(path, filesystem=self._files, format="parquet", partitioning="hive")

    def must_have(self, count: int) -> None:
        """Check that the first `count` records are there, each as it was and once, in the folder of its hour."""
        table = self.dataset().to_table().sort_by("offset")
        kept = zip(*(table[name].to_pylist() for name in ("key", "value", "kafka_time")), strict=True)
        assert [(key, value, round(time.timestamp() * 1000)) for key, value, time in kept] == records(0, count)
        assert table["offset"].to_pylist() == list(range(count))
        assert set(table["topic"].to_pylist()) == {self.topic}
        folders = {str(Path(file).parent).partition("/dt=")[2] for file in self.dataset().files}
        assert folders == {"2026-01-01/hour=05", "2026-01-01/hour=06"}


def test_every_record_is_kept_as_it_was_once_though_flink_is_killed_and_the_job_restored(
    stack: EmbeddedStack, tmp_path: Path
) -> None:
    cold = Cold(stack, tmp_path.as_uri(), LocalFileSystem())
    with cold.running():
        cold.write(0, 1000)
        cold.wait_for(1000)
        stack.kill("taskmanager")
        cold.write(1000, 1000)
        cold.wait_for(2000)
    cold.write(2000, 500)
    with cold.running():
        cold.wait_for(2500)
    cold.must_have(2500)
