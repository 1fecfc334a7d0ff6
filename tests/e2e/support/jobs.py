"""The inactivity job on the embedded stack: a test's own topics, what it writes to them, and what it finds there."""

import json
import re
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

from confluent_kafka import Message, Producer

from fleetpulse import topics
from fleetpulse.frames.sharding import shard_of
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.stack import rest, submit
from fleetpulse.topics import Topic
from generator.payloads.records import Record
from generator.truth.alerts import identity
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.kafka import messages, origin, producer
from tests.waiting import wait_until

SHARDS = 16  # as the job has them where nothing else is said
ANY_TIME = {"message.timestamp.after.max.ms": str(2**63 - 1)}  # a topic that takes timestamps however far ahead
_ENDED = ("FINISHED", "FAILED", "CANCELED")
_COUNT = re.compile(
    r"fleetpulse_records_(?P<outcome>read|on_time|late|rejected|out_of_order)\{(?P<labels>.*)\} (?P<value>\S+)"
)


class Revision(NamedTuple):
    """What the same records must always give of an alert's revision."""

    alert_id: str
    revision: int
    state: str
    opened_at: datetime
    changed_at: datetime
    device_id: str


def is_of_clock(alert: Revision) -> bool:
    """Whether an alert is on a wrong clock, by its identity."""
    return alert.alert_id == str(identity("clock", alert.device_id, round(alert.opened_at.timestamp() * 1000)))


def moment(epoch_ms: int) -> datetime:
    """An instant as revisions tell it."""
    return datetime.fromtimestamp(epoch_ms // 1000, UTC).replace(microsecond=epoch_ms % 1000 * 1000)


def revision_of(fields: dict[str, Any]) -> Revision:
    """The revision that an alert on the topic, or a line of the truth file, tells."""
    opened_at, changed_at = (datetime.fromisoformat(fields[name]) for name in ("opened_at", "changed_at"))
    return Revision(fields["alert_id"], fields["revision"], fields["state"], opened_at, changed_at, fields["device_id"])


@dataclass(frozen=True)
class Job:
    """A submitted inactivity job."""

    stack: EmbeddedStack
    id: str

    @property
    def state(self) -> str:
        """Its state in Flink."""
        return str(rest.get(self.stack.flink_rest, f"/jobs/{self.id}")["state"])

    def counts(self) -> Counter[str]:
        """How many records it shows by outcome, over all subtasks and reasons."""
        counts: Counter[str] = Counter()
        for found in _COUNT.finditer(self.stack.metrics()):
            if f'job_id="{self.id}"' in found["labels"]:
                counts[found["outcome"]] += int(float(found["value"]))
        return counts

    def watermark_ms(self) -> int:
        """How far time has come where it decides; 0 before there is any."""
        [vertex] = [vertex for vertex in self._vertices() if "decide" in vertex["name"]]
        marks = rest.get(self.stack.flink_rest, f"/jobs/{self.id}/vertices/{vertex['id']}/watermarks")
        return min((int(mark["value"]) for mark in marks), default=0)

    def _vertices(self) -> list[dict[str, Any]]:
        return list(rest.get(self.stack.flink_rest, f"/jobs/{self.id}")["vertices"])

    def savepoint(self, stop: bool = False) -> str:
        """Take a savepoint and return its path; with `stop` the job ends with it."""
        return rest.savepoint(self.stack.flink_rest, self.id, self.stack.layout.savepoints.as_uri(), stop)

    def drain(self) -> None:
        """Let it end as `flink stop --drain` does: it decides what it has read."""
        body = json.dumps({"drain": True, "targetDirectory": self.stack.layout.savepoints.as_uri()}).encode()
        headers = {"Content-Type": "application/json"}
        url = f"http://{self.stack.flink_rest}/jobs/{self.id}/stop"
        with urllib.request.urlopen(urllib.request.Request(url, body, headers, method="POST"), timeout=30) as answer:
            assert answer.status == 202

    def wait_until_started(self) -> None:
        """Wait until all of it works: a checkpoint passes no Python that is not there yet."""
        checkpoints = f"/jobs/{self.id}/checkpoints"
        wait_until("a first checkpoint", lambda: rest.get(self.stack.flink_rest, checkpoints)["counts"]["completed"])

    def wait_until_decided(self, epoch_ms: int) -> None:
        """Wait until time has passed an instant."""
        wait_until(f"the watermark to pass {epoch_ms}", lambda: self.watermark_ms() >= epoch_ms)

    def wait_until_read(self, records: int) -> None:
        """Wait until so many records have been read."""
        wait_until(f"{records} records to be read", lambda: self.counts()["read"] >= records)

    def wait_until_finished(self) -> None:
        """Wait for the end of bounded input; any other end fails."""
        wait_until("the job to end", lambda: self.state in _ENDED)
        assert self.state == "FINISHED"


@dataclass(frozen=True)
class Inactivity:
    """Topics of one test, and the inactivity job between them."""

    stack: EmbeddedStack
    name: str
    job: str = "inactivity"

    @property
    def events(self) -> str:
        """The topic it reads."""
        return f"{self.name}.events"

    @property
    def alerts_topic(self) -> str:
        """The topic of its alerts."""
        return f"{self.name}.alerts"

    @property
    def plain_topic(self) -> str:
        """The topic of plain alerts."""
        return f"{self.name}.plain"

    @property
    def ticks_topic(self) -> str:
        """The topic of its clock."""
        return f"{self.name}.ticks"

    @property
    def rules_topic(self) -> str:
        """The topic of rules."""
        return f"{self.name}.rules"

    @property
    def aggregates_topic(self) -> str:
        """The topic of aggregates."""
        return f"{self.name}.aggregates"

    @property
    def late_topic(self) -> str:
        """The topic of late records."""
        return f"{self.name}.late"

    @property
    def dead_letter_topic(self) -> str:
        """The topic of rejected records."""
        return f"{self.name}.dlq"

    @cached_property
    def _producer(self) -> Producer:
        return producer(self.stack.bootstrap)

    def arguments(self) -> list[str]:
        """The arguments that point the job at these topics."""
        return [
            *submit.defaults(self.stack.layout, self.job),
            *("--events.topic", self.events, "--alerts.topic", self.alerts_topic, "--plain.topic", self.plain_topic),
            *("--late.topic", self.late_topic, "--dlq.topic", self.dead_letter_topic),
            *("--ticks.topic", self.ticks_topic, "--checkpoint.interval.ms", "1000"),
            *("--rules.topic", self.rules_topic),
            *(("--aggregates.topic", self.aggregates_topic) if self.job == "monitor" else ()),
        ]

    @contextmanager
    def running(self, *arguments: str, restore: str | None = None) -> Iterator[Job]:
        """Run the job with `flink run`; it is cancelled at the end, where it still runs."""
        given = [*self.arguments(), *arguments]
        job = Job(self.stack, submit.submit(self.stack.layout, self.job, given, restore))
        try:
            yield job
        finally:
            if job.state not in _ENDED:
                rest.cancel(self.stack.flink_rest, job.id)

    def decide_all(self, *arguments: str) -> None:
        """Run the job over what is in its topic now."""
        with self.running("--bounded", *arguments) as job:
            job.wait_until_finished()

    def wait_until_all_decided(self, running: Job, epoch_ms: int) -> None:
        """Wait until every shard has decided up to an instant, and what follows is there for good.

        The watermark alone does not tell: after an outage of ours decisions wait longer. So each shard gets a record
        of that time, from a device of its own; it is late as soon as the instant is decided.
        """
        tried_ms = epoch_ms - 1

        def all_late() -> bool:
            nonlocal tried_ms
            running.wait_until_decided(tried_ms + 1)  # a probe that is on time holds time for a while
            tried_ms = running.watermark_ms()
            read = running.counts()["read"]
            self.write(probes(epoch_ms))
            running.wait_until_read(read + SHARDS)
            running.savepoint()
            return {probe.key for probe in probes(epoch_ms)} <= {late.key() for late in self.late()}

        wait_until("every shard to have decided", all_late)

    def write(self, records: Iterable[Record], topic: str | None = None) -> None:
        """Give records to Kafka, with their own timestamps; returns when it has them all."""
        self.give(records, topic)
        assert self._producer.flush(60) == 0

    def give(self, records: Iterable[Record], topic: str | None = None) -> None:
        """Give records to the producer, which keeps them as long as the broker is away."""
        for record in records:
            self._producer.produce(topic or self.events, record.value, record.key, timestamp=record.timestamp_ms)
            self._producer.poll(0)

    def written(self) -> list[Message]:
        """All records of the topic it reads."""
        return messages(self.stack.bootstrap, self.events)

    def alerts(self) -> list[Revision]:
        """All alerts that are there for good, as they were written."""
        return [revision_of(json.loads(m.value())) for m in messages(self.stack.bootstrap, self.alerts_topic)]

    def late(self) -> list[Message]:
        """All late records that are there for good."""
        return messages(self.stack.bootstrap, self.late_topic)

    def dead_letters(self) -> dict[tuple[int, int], Message]:
        """All rejected records that are there for good, by the partition and offset they were read at."""
        found = messages(self.stack.bootstrap, self.dead_letter_topic)
        letters = {origin(letter): letter for letter in found}
        assert len(letters) == len(found), "a record was rejected twice"
        return letters


def probes(epoch_ms: int) -> list[Record]:
    """A record for each shard, of that time."""
    names = {shard_of(name, SHARDS): name for name in (f"probe-{number}" for number in range(20 * SHARDS))}
    assert len(names) == SHARDS
    values = {name: f'{{"event-id":"probe","device-id":"{name}","time":{epoch_ms}}}' for name in names.values()}
    return [Record(epoch_ms, name.encode(), value.encode(), epoch_ms) for name, value in values.items()]


def inactivity(
    stack: EmbeddedStack,
    partitions: int = 3,
    config: Mapping[str, str] = MappingProxyType({}),
    job: str = "inactivity",
) -> Inactivity:
    """A job that decides inactivity, with new topics; `config` is more of those where records keep their timestamps."""
    own = Inactivity(stack, f"test-{uuid.uuid4().hex[:12]}", job)
    ensure_topics(
        stack.bootstrap,
        [
            lasting(replace(topics.EVENTS, name=own.events, partitions=partitions), config),
            lasting(replace(topics.LATE, name=own.late_topic), config),
            lasting(replace(topics.DEAD_LETTERS, name=own.dead_letter_topic), config),
            replace(topics.ALERTS, name=own.alerts_topic),
        ],
    )
    return own


def lasting(topic: Topic, config: Mapping[str, str] = MappingProxyType({})) -> Topic:
    """The topic without a retention, or Kafka soon deletes records of long ago."""
    return replace(topic, config={**topic.config, "retention.ms": "-1", **config})
