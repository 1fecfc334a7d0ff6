"""The archive job on the embedded stack, between a topic and a database of its own."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from confluent_kafka import Producer
from psycopg.conninfo import conninfo_to_dict

from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.stack import rest, submit
from fleetpulse.topics import Topic
from tests.e2e.support.databases import rows
from tests.e2e.support.embedded import EmbeddedStack
from tests.waiting import wait_until


class Archive:
    """Topics, a database, and the job between them."""

    def __init__(self, stack: EmbeddedStack, dsn: str, topic: str | None = None) -> None:
        name = uuid.uuid4().hex
        self.topic = topic or f"alerts.{name}"
        self.aggregates_topic = f"aggregates.{name}"
        self.readings_topic = f"readings.{name}"
        self.dsn = dsn
        self._stack = stack
        ensure_topics(stack.bootstrap, [Topic(self.topic, 1)])

    def write(self, *values: bytes | None, topic: str | None = None) -> None:
        """Write to a topic; to that of alerts where none is named."""
        producer = Producer({"bootstrap.servers": self._stack.bootstrap})
        for value in values:
            producer.produce(topic or self.topic, value, b"key")
            producer.poll(0)
        assert producer.flush(60) == 0

    @contextmanager
    def running(self, kinds: str = "alerts", *more: str) -> Iterator[str]:
        """Run the job, from the beginning of its topics, with `more` arguments. Gives its id."""
        layout = self._stack.layout
        url = f"jdbc:postgresql://{layout.address('postgres')}/{conninfo_to_dict(self.dsn)['dbname']}"
        arguments = [
            *submit.defaults(layout, "archive"),
            *("--archive", kinds, "--alerts.topic", self.topic, "--database.url", url),
            *("--aggregates.topic", self.aggregates_topic, "--events.topic", self.readings_topic),
            *more,
        ]
        job = submit.submit(layout, "archive", arguments)
        try:
            yield job
        finally:
            rest.cancel(self._stack.flink_rest, job)
            # Before its database goes: rows that it cannot write as it ends would end the TaskManager.
            wait_until(
                "the job to end",
                lambda: job not in [running.id for running in rest.running_jobs(self._stack.flink_rest)],
            )

    def restarts(self, job: str) -> int:
        """How often a job has started again."""
        [found] = rest.get(self._stack.flink_rest, f"/jobs/{job}/metrics?get=numRestarts")
        return int(found["value"])

    def wait_for(self, alerts: int, rejects: int) -> None:
        """Wait until there are so many alerts and rejected rows of alerts."""
        self.wait_for_rows(alerts=alerts, alerts_rejects=rejects)

    def wait_for_rows(self, **tables: int) -> None:
        """Wait until each of these tables has so many rows."""
        counts = "SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
        wait_until(f"rows of {tables}", lambda: self.query(counts) == [tuple(tables.values())])

    def query(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with psycopg.connect(self.dsn) as database:
            return rows(database, query)
