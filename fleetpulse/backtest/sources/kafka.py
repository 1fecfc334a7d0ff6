"""History in Kafka: the present records of topics, from an instant on."""

from collections.abc import Iterator, Sequence
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from fleetpulse.backtest.sources.history import Chunk, Stream, chunk_size
from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka.reading import partitions_of
from fleetpulse.topics import LARGEST_MESSAGE_BYTES

_ANSWER_S = 30.0
_POLL_S = 0.1


def streams(bootstrap_servers: str, topics: Sequence[str], from_ms: int | None) -> list[Stream]:
    """Return the committed records of topics, by Kafka timestamp from an instant on.

    Raises:
        FleetpulseError: no broker answers, or a topic is not there.
    """
    asking = _consumer(bootstrap_servers)
    try:
        partitions = [(topic, p) for topic in topics for p in partitions_of(asking, bootstrap_servers, topic)]
        ranges = [_range(asking, topic, partition, from_ms) for topic, partition in partitions]
    except KafkaException as failed:
        raise FleetpulseError(f"no broker answers at {bootstrap_servers}: {failed.args[0].str()}") from failed
    finally:
        asking.close()
    size = chunk_size(len(partitions))
    return [
        Stream(topic, partition, _chunks(bootstrap_servers, TopicPartition(topic, partition, start), end, size))
        for (topic, partition), (start, end) in zip(partitions, ranges, strict=True)
    ]


def _consumer(bootstrap_servers: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "fleetpulse-backtest",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.message.max.bytes": LARGEST_MESSAGE_BYTES,
            "queued.max.messages.kbytes": 2 * LARGEST_MESSAGE_BYTES >> 10,  # a consumer a partition
            "log_level": 0,
        }
    )


def _range(consumer: Consumer, topic: str, partition: int, from_ms: int | None) -> tuple[int, int]:
    start, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_ANSWER_S)
    if from_ms is not None:
        [found] = consumer.offsets_for_times([TopicPartition(topic, partition, from_ms)], timeout=_ANSWER_S)
        start = found.offset if found.offset >= 0 else end
    return start, end


def _chunks(bootstrap_servers: str, start: TopicPartition, end: int, size: int) -> Iterator[Chunk]:
    if start.offset >= end:
        return
    consumer = _consumer(bootstrap_servers)
    try:
        consumer.assign([start])
        silent_s = 0.0
        while silent_s < _ANSWER_S:
            messages = consumer.consume(size, _POLL_S)
            silent_s = 0.0 if messages else silent_s + _POLL_S
            records = [m for m in messages if m.error() is None and cast(int, m.offset()) < end]
            if records:
                yield _chunk(records)
            if len(records) < len(messages):
                _refuse_errors(messages, start.topic)
                return
        raise FleetpulseError(f"topic {start.topic} cannot be read: no answer for {_ANSWER_S:.0f} s")
    finally:
        consumer.close()


def _chunk(records: list[Message]) -> Chunk:
    return Chunk(
        cast(list[int], [m.offset() for m in records]),
        [m.timestamp()[1] for m in records],
        [m.value() for m in records],
    )


def _refuse_errors(messages: list[Message], topic: str) -> None:
    """What is left besides records beyond the end must be the end itself."""
    for message in messages:
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            raise FleetpulseError(f"topic {topic} cannot be read: {error.str()}")
