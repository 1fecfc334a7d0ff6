"""Dead letters and the ledger of their replays, read from Kafka."""

from collections.abc import Iterator
from typing import cast

import msgspec
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from fleetpulse.deadletters import Entry, Ledger, Letter, Place, read_letter
from fleetpulse.errors import FleetpulseError
from fleetpulse.topics import LARGEST_MESSAGE_BYTES

_ANSWER_S = 30.0
_entry = msgspec.json.Decoder(Entry).decode


def place_of(message: Message) -> Place:
    """Where a record that the broker has, or gave, stands."""
    return Place(cast(str, message.topic()), cast(int, message.partition()), cast(int, message.offset()))


def letters(bootstrap_servers: str, topic: str) -> Iterator[Letter]:
    """Yield all letters that are in `topic` now, partition by partition in the order of their offsets.

    Raises:
        FleetpulseError: no broker answers, or the topic is not there.
    """
    for message in _messages(bootstrap_servers, topic):
        headers = cast(list[tuple[str, bytes | None]], message.headers() or [])
        present = {name: content for name, content in headers if content is not None}
        yield read_letter(place_of(message), message.timestamp()[1], message.key(), message.value(), present)


def read_ledger(bootstrap_servers: str, topic: str) -> Ledger:
    """Read all that was ever done with letters.

    Raises:
        FleetpulseError: as above.
    """
    ledger = Ledger()
    for message in _messages(bootstrap_servers, topic):
        ledger.add(Place.read((message.key() or b"").decode()), _entry(message.value() or b""))
    return ledger


def _messages(bootstrap_servers: str, topic: str) -> Iterator[Message]:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "fleetpulse-dlq",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.message.max.bytes": LARGEST_MESSAGE_BYTES,
            "log_level": 0,
        }
    )
    try:
        partitions = [TopicPartition(topic, p, 0) for p in _partitions(consumer, bootstrap_servers, topic)]
        # What comes later stays for the next time: replaying what is rejected again would never end.
        ends = [consumer.get_watermark_offsets(partition, timeout=_ANSWER_S)[1] for partition in partitions]
        for partition, end in zip(partitions, ends, strict=True):
            consumer.assign([partition])
            yield from _until(consumer, topic, end)
    finally:
        consumer.close()


def _partitions(consumer: Consumer, bootstrap_servers: str, topic: str) -> list[int]:
    try:
        found = consumer.list_topics(topic, timeout=_ANSWER_S).topics[topic]
    except Exception as failed:  # confluent-kafka raises its own for each kind of failure
        raise FleetpulseError(f"no broker answers at {bootstrap_servers}: {failed}") from failed
    if found.error is not None:
        raise FleetpulseError(f"topic {topic} is not there at {bootstrap_servers}: {found.error.str()}")
    return sorted(found.partitions)


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
