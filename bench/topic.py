"""The topic all contenders read, and the alerts that must come of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from confluent_kafka import Consumer, Producer, TopicPartition

from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.topics import Topic

PARTITIONS = 4
FEWEST = 100_000  # with fewer records devices would pause so long that they seem silent
START_MS = 1_767_225_600_000  # a multiple of the evaluation period
_SPAN_MS = 450_000
# Silent devices by their number modulo 20. The edges lie well away from an evaluation, so that no contender's order of
# reading changes the outcome; nobody else is silent for 60 s. All is over long before the end:
# a bounded job evaluates nothing after its last watermark, which trails by what is fetched of one partition at once.
_SILENCES = {7: range(60_000, 200_000), 13: range(100_000, 250_000)}
_SPOKEN = 1 - sum(map(len, _SILENCES.values())) / 20 / _SPAN_MS


class Told(Protocol):
    """What a topic holds."""

    @property
    def topic(self) -> str:
        """Name of the topic that holds exactly this."""

    @property
    def records(self) -> int:
        """How many records there are."""

    def telemetry(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield (device number, time in epoch ms, value) in the order of time."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What every contender reads. Fewer records mean longer pauses between them, not another story."""

    records: int
    devices: int = 10_000

    @property
    def topic(self) -> str:
        """Name of the topic that holds exactly this."""
        return f"bench.telemetry.{self.records}"

    @property
    def alerts(self) -> int:
        """How many devices fall silent long enough, once each."""
        return sum(device % 20 in _SILENCES for device in range(self.devices))

    def telemetry(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield (device number, time in epoch ms, value) in the order of time."""
        slots = self.records / _SPOKEN
        slot = made = 0
        while made < self.records:
            device, offset_ms = slot % self.devices, int(slot * _SPAN_MS / slots)
            slot += 1
            if offset_ms not in _SILENCES.get(device % 20, ()):
                made += 1
                yield device, START_MS + offset_ms, _value(device, START_MS + offset_ms, slot)


def _value(device: int, ts_ms: int, slot: int) -> bytes:
    return b'{"device_id":"d%04d","ts":%d,"temperature_c":%.1f,"humidity":%.1f,"lat":%.4f,"lon":%.4f}' % (
        device,
        ts_ms,
        20 + slot % 97 / 10,
        40 + slot % 89 / 10,
        48 + device / 5000,
        11 + device / 4000,
    )


def fill(bootstrap_servers: str, fleet: Told) -> None:
    """Write the fleet's telemetry to its topic, unless it is there already."""
    if not create(bootstrap_servers, fleet.topic, PARTITIONS):
        if (held := count(bootstrap_servers, fleet.topic)) != fleet.records:
            raise SystemExit(f"topic {fleet.topic} holds {held:,} of {fleet.records:,} records: delete it first")
        return
    producer = Producer(
        {
            "bootstrap.servers": bootstrap_servers,
            "linger.ms": 50,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 1_000_000,
            "compression.type": "lz4",
        }
    )
    for device, ts_ms, value in fleet.telemetry():
        while True:
            try:
                producer.produce(fleet.topic, value, b"d%04d" % device, device % PARTITIONS, timestamp=ts_ms)
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush()


def create(bootstrap_servers: str, topic: str, partitions: int) -> bool:
    """Create a topic. One that is there already stays as it is, and the answer is no."""
    # The telemetry is of the past: without this, Kafka would delete it as too old.
    return bool(ensure_topics(bootstrap_servers, [Topic(topic, partitions, {"retention.ms": "-1"})]))


def count(bootstrap_servers: str, topic: str) -> int:
    """Number of records a topic holds, by its offsets."""
    consumer = _consumer(bootstrap_servers)
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        offsets = [consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10) for p in partitions]
        return sum(high - low for low, high in offsets)
    finally:
        consumer.close()


def opened(bootstrap_servers: str, topic: str) -> int:
    """Number of alerts a contender opened: its records that say when the device was last heard, each different."""
    return len({value for value in values(bootstrap_servers, topic) if b'"latest-event-time"' in value})


def values(bootstrap_servers: str, topic: str) -> Iterator[bytes]:
    """The values of all that a topic holds now."""
    consumer = _consumer(bootstrap_servers)
    try:
        for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
            consumer.assign([TopicPartition(topic, partition, 0)])
            while (message := consumer.poll(5)) is not None and message.error() is None:
                yield message.value() or b""
    finally:
        consumer.close()


def _consumer(bootstrap_servers: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "bench",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
