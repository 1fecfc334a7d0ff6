"""Writes topics to the index: records are decoded as in the jobs, written, and then committed."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, Message

from fleetpulse.errors import FleetpulseError
from fleetpulse.printable import printable
from fleetpulse.records.avro import SensorReadings
from fleetpulse.records.batch import DecodedBatch, decode_batch
from fleetpulse.records.documents import documents
from fleetpulse.records.metrics import UNITS
from fleetpulse.search.server import Document, SearchServer
from fleetpulse.times import LAST_MS, iso
from fleetpulse.topics import LARGEST_MESSAGE_BYTES

GROUP = "fleetpulse-index"

_LOT_RECORDS = 1000
_LOT_BYTES = LARGEST_MESSAGE_BYTES
_WAIT_S = 1.0
_SHOWN_BYTES = 1000

_log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """The outcome of one lot of records."""

    read: int
    rejected: int
    refused: int


@dataclass(frozen=True)
class Reading:
    """How records are decoded: see `records.batch.decode_batch`."""

    max_future_skew_ms: int
    avro: SensorReadings | None = None


def consumer_of(bootstrap_servers: str, topics: Sequence[str]) -> Consumer:
    """A consumer of topics, from the first record that its group has not committed."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": GROUP,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "fetch.message.max.bytes": LARGEST_MESSAGE_BYTES,
            "queued.max.messages.kbytes": LARGEST_MESSAGE_BYTES >> 10,  # what waits in memory, a partition
        },
        logger=_log,
    )
    consumer.subscribe(list(topics))
    return consumer


def fill(consumer: Consumer, server: SearchServer, how: Reading) -> Iterator[Outcome]:
    """Write records as they come, and yield the outcome, lot by lot, forever.

    A lot is committed after the server has it on its disk: a failure in between writes it again, over itself.

    Raises:
        FleetpulseError: the server is away for too long, or Kafka fails.
    """
    while True:
        if lot := _lot(consumer):
            outcome = _write(lot, server, how)
            try:
                consumer.commit(asynchronous=False)
            except KafkaException as lost:  # the group has given the partitions to another reader, who reads it again
                _log.warning("what was read will be read again: %s", printable(str(lost)))
            yield outcome


def _write(lot: Sequence[Message], server: SearchServer, how: Reading) -> Outcome:
    values, times_ms = [message.value() for message in lot], [message.timestamp()[1] for message in lot]
    decoded = decode_batch(values, times_ms, how.max_future_skew_ms, avro=how.avro)
    origins = [f"{message.topic()}:{message.partition()}:{message.offset()}" for message in lot]
    found = [*documents(decoded, origins, UNITS), *_unread(decoded, lot, origins)]
    refused = server.write(found)
    if refused:
        _log.warning("the server refuses %d documents; the first, %s: %s", len(refused), *map(printable, refused[0]))
    return Outcome(len(lot), len(decoded.rejections), len(refused))


def _unread(decoded: DecodedBatch, lot: Sequence[Message], origins: Sequence[str]) -> Iterator[Document]:
    """Rejected records: the reason and the first characters. The dead letters have them in full."""
    for index, rejection in decoded.rejections.items():
        document = {
            "reason": rejection.reason.value,
            "text": (lot[index].value() or b"")[:_SHOWN_BYTES].decode(errors="replace"),
            "origin": origins[index],
        }
        if 0 <= (time_ms := lot[index].timestamp()[1]) <= LAST_MS:
            document["time"] = iso(time_ms)
        yield document


def _lot(consumer: Consumer) -> list[Message]:
    """What is there now, at least one record unless none comes for a while; not too many, not too large."""
    lot, size = list[Message](), 0
    message = consumer.poll(_WAIT_S)
    while message is not None:
        if (error := message.error()) is not None:
            raise FleetpulseError(f"topics cannot be read: {error.str()}")
        lot.append(message)
        size += len(message.value() or b"")
        if len(lot) >= _LOT_RECORDS or size >= _LOT_BYTES:
            break
        message = consumer.poll(0)
    return lot
