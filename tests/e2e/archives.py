"""The archive job on the embedded stack, between a topic and a database of its own."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from confluent_kafka import Producer
from psycopg.conninfo import conninfo_to_dict

from clients.topics import ensure_topics
from fleetpulse.topics import Topic
from stack import rest, submit
from tests.e2e.databases import rows
from tests.e2e.embedded import EmbeddedStack
from tests.waiting import wait_until

COUNTS = "SELECT (SELECT count(*) FROM alerts), (SELECT count(*) FROM alerts_rejects)"


class Archive:
    """A topic, a database, and the job between them."""

    def __init__(self, stack: EmbeddedStack, dsn: str, topic: str | None = None) -> None:
        self.topic = topic or f"alerts.{uuid.uuid4().hex}"
        self.dsn = dsn
        self._stack = stack
        ensure_topics(stack.bootstrap, [Topic(self.topic, 1)])

    def write(self, *values: bytes | None) -> None:
        producer = Producer({"bootstrap.servers": self._stack.bootstrap})
        for value in values:
            producer.produce(self.topic, value, b"key")
            producer.poll(0)
        assert producer.flush(60) == 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the job, from the topic's beginning."""
        layout = self._stack.layout
        url = f"jdbc:postgresql://{layout.address('postgres')}/{conninfo_to_dict(self.dsn)['dbname']}"
        arguments = [*submit.defaults(layout, "archive"), "--alerts.topic", self.topic, "--database.url", url]
        job = submit.submit(layout, "archive", arguments)
        try:
            yield
        finally:
            rest.cancel(self._stack.flink_rest, job)

    def wait_for(self, alerts: int, rejects: int) -> None:
        wait_until(f"{alerts} alerts and {rejects} rejects", lambda: self.query(COUNTS) == [(alerts, rejects)], 120)

    def query(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn) as database:
            return rows(database, query)
