"""Dead letters and the ledger of their replays, read from Kafka."""

from collections.abc import Iterator
from typing import cast

import msgspec
from confluent_kafka import Message

from fleetpulse.deadletters.letter import Entry, Ledger, Letter, Position, read_letter
from fleetpulse.kafka.reading import read_to_end

_GROUP = "fleetpulse-dlq"
_entry = msgspec.json.Decoder(Entry).decode


def position_of(message: Message) -> Position:
    """The position of a record of the broker."""
    return Position(cast(str, message.topic()), cast(int, message.partition()), cast(int, message.offset()))


def letters(bootstrap_servers: str, topic: str) -> Iterator[Letter]:
    """Yield all letters that are in `topic` now, partition by partition in the order of their offsets.

    Raises:
        FleetpulseError: no broker answers, or the topic is not there.
    """
    for message in read_to_end(bootstrap_servers, topic, _GROUP):
        headers = cast(list[tuple[str, bytes | None]], message.headers() or [])
        present = {name: content for name, content in headers if content is not None}
        yield read_letter(position_of(message), message.timestamp()[1], message.key(), message.value(), present)


def read_ledger(bootstrap_servers: str, topic: str) -> Ledger:
    """Read the whole ledger.

    Raises:
        FleetpulseError: as above.
    """
    ledger = Ledger()
    for message in read_to_end(bootstrap_servers, topic, _GROUP):
        ledger.add(Position.read((message.key() or b"").decode()), _entry(message.value() or b""))
    return ledger
