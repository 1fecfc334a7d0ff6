"""Kafka as the end-to-end tests write and read it."""

from collections.abc import Iterator
from contextlib import closing

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from fleetpulse.errors import FleetpulseError


def producer(bootstrap: str) -> Producer:
    """A producer that waits for the broker for ever, sends large records, and spreads those without a key evenly."""
    settings = {"enable.idempotence": True, "message.timeout.ms": 0, "message.max.bytes": 16 << 20, "log_level": 0}
    spread = {"sticky.partitioning.linger.ms": 0}
    return Producer({"bootstrap.servers": bootstrap, "reconnect.backoff.max.ms": 1_000, **settings, **spread})


def messages(bootstrap: str, topic: str) -> list[Message]:
    """All records of a topic whose transactions are committed, in the order of each partition."""
    settings = {"bootstrap.servers": bootstrap, "group.id": "test", "enable.auto.commit": False, "log_level": 0}
    reading = {"isolation.level": "read_committed", "enable.partition.eof": True}
    with closing(Consumer(settings | reading)) as consumer:
        partitions = consumer.list_topics(topic, timeout=60).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        return list(_until_the_end(consumer, topic, set(partitions)))


def _until_the_end(consumer: Consumer, topic: str, unread: set[int]) -> Iterator[Message]:
    while unread:
        [message] = consumer.consume(1, timeout=60) or [None]
        assert message is not None, f"{topic} cannot be read"
        if message.error() is None:
            yield message
        elif message.error().code() == KafkaError._PARTITION_EOF:
            unread.remove(message.partition())
        else:
            raise FleetpulseError(f"{topic} cannot be read: {message.error()}")


def header(message: Message, name: str) -> str:
    """A header's text."""
    return dict(message.headers() or [])[name].decode()


def origin(letter: Message) -> tuple[int, int]:
    """Where a rejected record was read: partition and offset."""
    return int(header(letter, "__connect.errors.partition")), int(header(letter, "__connect.errors.offset"))


def place(message: Message) -> tuple[int, int]:
    """Where a record is: partition and offset."""
    return message.partition(), message.offset()


def same_record(one: Message, other: Message) -> bool:
    """Whether two records have the same key and value, byte for byte, and the same timestamp."""
    return (one.key(), one.value(), one.timestamp()[1]) == (other.key(), other.value(), other.timestamp()[1])
