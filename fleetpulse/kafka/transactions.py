"""Kafka transactions, one process at a time under a name."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaException, Producer

from fleetpulse.errors import FleetpulseError
from fleetpulse.topics import LARGEST_MESSAGE_BYTES

ANSWER_S = 60.0


def exclusive_producer(bootstrap_servers: str, transactional_id: str) -> Producer:
    """Return a producer that has taken over from all others of its name: their open transactions are aborted.

    Raises:
        KafkaException: no broker answers, or it refuses.
    """
    producer = Producer(
        {
            "bootstrap.servers": bootstrap_servers,
            "transactional.id": transactional_id,
            "message.max.bytes": LARGEST_MESSAGE_BYTES,
            "log_level": 0,
        }
    )
    producer.init_transactions(ANSWER_S)
    return producer


@contextmanager
def one_line(meaning: str) -> Iterator[None]:
    """Turn Kafka's errors within the context into one line that begins with `meaning`."""
    try:
        yield
    except KafkaException as failed:
        raise FleetpulseError(f"{meaning}: {failed.args[0].str()}") from failed
    except FleetpulseError as failed:
        raise FleetpulseError(f"{meaning}: {failed}") from failed
