"""Reads Kafka topics to their present end."""

from collections.abc import Iterator
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from fleetpulse.errors import ConfigurationError, FleetpulseError
from fleetpulse.topics import LARGEST_MESSAGE_BYTES

_ANSWER_S = 30.0


def read_to_end(bootstrap_servers: str, topic: str, group: str) -> Iterator[Message]:
    """Yield the committed records that are in `topic` now, partition by partition in the order of its offsets.

    Args:
        bootstrap_servers: `host:port` of brokers, comma-separated.
        topic: name of a topic that exists.
        group: the consumer group; nothing is committed for it.

    Raises:
        FleetpulseError: no broker answers, or the topic is not there.
    """
    consumer = _consumer(bootstrap_servers, group)
    try:
        partitions = [TopicPartition(topic, p, 0) for p in partitions_of(consumer, bootstrap_servers, topic)]
        # Later records stay for the next time: a replay of records that are rejected again would never end.
        ends = [_bounds(consumer, partition)[1] for partition in partitions]
        for partition, end in zip(partitions, ends, strict=True):
            consumer.assign([partition])
            yield from _until(consumer, topic, end)
    finally:
        consumer.close()


def last_records(bootstrap_servers: str, topic: str, count: int) -> list[Message]:
    """The last committed records of a topic, about as many from each partition, in order of their Kafka timestamps.

    Raises:
        FleetpulseError: no broker answers, or the topic is not there.
    """
    consumer = _consumer(bootstrap_servers, "fleetpulse-sample")
    try:
        partitions = [TopicPartition(topic, p) for p in partitions_of(consumer, bootstrap_servers, topic)]
        found: list[Message] = []
        for partition in partitions:
            first, end = _bounds(consumer, partition)
            partition.offset = max(first, end - -(-count // len(partitions)))
            if partition.offset < end:
                consumer.assign([partition])
                found += _until(consumer, topic, end)
    finally:
        consumer.close()
    return sorted(found, key=lambda message: message.timestamp()[1])


def require_topics(bootstrap_servers: str, *topics: str) -> None:
    """Refuse topics that are not there, before anything is made or sent for them.

    Raises:
        ConfigurationError: one is not there.
        FleetpulseError: no broker answers.
    """
    consumer = _consumer(bootstrap_servers, "fleetpulse-topics")
    try:
        for topic in topics:
            partitions_of(consumer, bootstrap_servers, topic)
    finally:
        consumer.close()


def partitions_of(client: Consumer | Producer, bootstrap_servers: str, topic: str) -> list[int]:
    """The partitions of a topic.

    Raises:
        ConfigurationError: the topic is not there.
        FleetpulseError: no broker answers.
    """
    try:
        found = client.list_topics(topic, timeout=_ANSWER_S).topics[topic]
    except KafkaException as failed:
        raise FleetpulseError(f"no broker answers at {bootstrap_servers}: {failed.args[0].str()}") from failed
    if found.error is not None:
        raise ConfigurationError(f"topic {topic} is not there at {bootstrap_servers}: {found.error.str()}")
    return sorted(found.partitions)


def _consumer(bootstrap_servers: str, group: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": group,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.message.max.bytes": LARGEST_MESSAGE_BYTES,
            "log_level": 0,
        }
    )


def _bounds(consumer: Consumer, partition: TopicPartition) -> tuple[int, int]:
    """The offset of the first record that is there, and the one after the last."""
    try:
        first, end = consumer.get_watermark_offsets(partition, timeout=_ANSWER_S)
    except KafkaException as failed:
        raise FleetpulseError(f"topic {partition.topic} cannot be read: {failed.args[0].str()}") from failed
    return first, end


def _until(consumer: Consumer, topic: str, end: int) -> Iterator[Message]:
    while True:
        message = consumer.poll(_ANSWER_S)
        if message is None:
            raise FleetpulseError(f"topic {topic} cannot be read: no answer for {_ANSWER_S:.0f} s")
        error = message.error()
        if error is None and cast(int, message.offset()) >= end:
            return
        if error is None:
            yield message
        elif error.code() == KafkaError._PARTITION_EOF:
            return
        else:
            raise FleetpulseError(f"topic {topic} cannot be read: {error.str()}")
