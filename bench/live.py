"""The inactivity job, unbounded, on topics of its own, and a producer that feeds it as devices would."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import Consumer, Producer, TopicPartition

from bench.topic import PARTITIONS
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.stack import rest
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.submit import defaults, submit
from fleetpulse.topics import Topic, ticks


@dataclass(frozen=True, slots=True)
class Live:
    """One run's topics, and how its job is submitted to them."""

    stack: Layout
    run: str
    arguments: tuple[str, ...]

    @property
    def telemetry(self) -> str:
        """Topic the job reads."""
        return f"bench.telemetry.{self.run}"

    @property
    def alerts(self) -> str:
        """Topic of its alerts."""
        return f"bench.alerts.{self.run}"

    def submit(self, restore: str | None = None) -> str:
        """Submit the job, from a savepoint if one is named; returns its id."""
        topics = ["--events.topic", self.telemetry, "--alerts.topic", self.alerts]
        topics += ["--ticks.topic", ticks(self.run).name, "--time.source", "record"]
        return submit(
            self.stack, "inactivity", [*defaults(self.stack, "inactivity"), *topics, *self.arguments], restore
        )

    def produce(self, producer: Producer, device: int, ts_ms: int) -> None:
        """Send one record of a device; waits while the producer's queue is full."""
        # Ids that look like serial numbers: consecutive ones would compress to nothing in a checkpoint.
        device_id = b"d%012x" % (device * 0x9E3779B97F4B % (1 << 48))
        value = b'{"device_id":"%s","ts":%d,"temperature_c":21.5,"humidity":40.1}' % (device_id, ts_ms)
        while True:
            try:
                producer.produce(self.telemetry, value, device_id, device % PARTITIONS, timestamp=ts_ms)
                return
            except BufferError:
                producer.poll(0.05)

    def producer(self) -> Producer:
        """A producer for `produce`."""
        queue = {"linger.ms": 5, "queue.buffering.max.messages": 1_000_000}
        return Producer({"bootstrap.servers": self.stack.address("kafka"), **queue})

    def alerts_from_now(self, isolation: str) -> Consumer:
        """A consumer that stands at the end of the alerts topic."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.stack.address("kafka"),
                "group.id": self.run,
                "isolation.level": isolation,
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 10,
            }
        )
        end = consumer.get_watermark_offsets(TopicPartition(self.alerts, 0), timeout=10)[1]
        consumer.assign([TopicPartition(self.alerts, 0, end)])
        return consumer


@contextmanager
def live(stack: Layout, *arguments: str) -> Iterator[Live]:
    """Topics for one run. Whatever job of it still runs at the end is cancelled."""
    run = uuid.uuid4().hex
    address = stack.address("kafka")
    made = Live(stack, run, arguments)
    ensure_topics(address, [Topic(made.telemetry, PARTITIONS), Topic(made.alerts, 1), ticks(run)])
    before = set(rest.running_jobs(stack.address("flink-web")))
    try:
        yield made
    finally:
        for job in set(rest.running_jobs(stack.address("flink-web"))) - before:
            rest.cancel(stack.address("flink-web"), job.id)


def now_ms() -> int:
    """Wall clock in epoch ms: devices and listeners share this machine's."""
    return time.time_ns() // 1_000_000
