"""`fleetpulse dlq simulate`: send every kind of broken record, and show where each ended."""

import time
import uuid

import click
from confluent_kafka import KafkaError, Message, Producer
from rich.table import Table

from fleetpulse import topics
from fleetpulse.cli.connections import bootstrap_servers
from fleetpulse.cli.parameters import Duration, topic_option
from fleetpulse.cli.settings import option
from fleetpulse.cli.tables import cell, console
from fleetpulse.deadletters.letter import Letter, Position
from fleetpulse.deadletters.topics import letters, position_of
from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka.broker import reach
from fleetpulse.kafka.reading import require_topics
from generator.payloads.malformed import KINDS, TOO_LARGE, Malformed, value_of
from generator.scenario import Dialect

_LOOK_EVERY_S = 1.0
_DIALECTS = [dialect.value for dialect in Dialect if dialect is not Dialect.AVRO]  # which needs a registry


@click.command("simulate")
@bootstrap_servers
@topic_option("topic", topics.EVENTS.name, "Topic that a running job reads.", variables=("TELEMETRY_TOPIC",))
@option("dialect", click.Choice(_DIALECTS), "Shape of the values.", default="telemetry", environment=False)
@topic_option("dlq.topic", topics.DEAD_LETTERS.name, "Topic of dead letters.", variables=("DLQ_TOPIC",))
@option("timeout.seconds", Duration("s", 1000), "How long to wait for them.", default=60_000, environment=False)
def simulate_command(bootstrap_servers: str, topic: str, dialect: str, dlq_topic: str, timeout_seconds: int) -> None:
    """Send every kind of broken record, and show where each ended. A job must be reading the topic."""
    timeout_s = timeout_seconds / 1000
    kinds = [*KINDS[Dialect(dialect)], TOO_LARGE]
    servers = reach(bootstrap_servers)
    require_topics(servers, topic, dlq_topic)
    sent = _send(servers, topic, kinds, Dialect(dialect))
    click.echo(f"{len(sent)} broken records sent to {topic}; waiting for them in {dlq_topic}")
    arrived = _await(servers, dlq_topic, set(sent), timeout_s)
    console().print(_table(sent, arrived))
    if missing := len(sent) - len(arrived):
        raise FleetpulseError(
            f"{missing} of {len(sent)} did not reach {dlq_topic} within {timeout_s:g} s: does a job read {topic}?"
        )


def _send(bootstrap_servers: str, topic: str, kinds: list[Malformed], dialect: Dialect) -> dict[Position, Malformed]:
    producer = Producer(
        {"bootstrap.servers": bootstrap_servers, "message.max.bytes": topics.LARGEST_MESSAGE_BYTES, "log_level": 0}
    )
    device_id, now_ms = f"broken-{uuid.uuid4().hex[:8]}", time.time_ns() // 1_000_000
    sent: dict[Position, Malformed] = {}
    for kind in kinds:

        def note(error: KafkaError | None, message: Message, kind: Malformed = kind) -> None:
            if error is None:
                sent[position_of(message)] = kind

        value = value_of(kind, dialect, device_id, now_ms)
        producer.produce(topic, value, device_id.encode(), timestamp=now_ms, on_delivery=note)
    producer.flush(30)
    if len(sent) < len(kinds):
        raise FleetpulseError(f"{len(kinds) - len(sent)} of {len(kinds)} records were not taken by {bootstrap_servers}")
    return sent


def _await(bootstrap_servers: str, topic: str, positions: set[Position], timeout_s: float) -> dict[Position, Letter]:
    deadline = time.monotonic() + timeout_s
    while True:
        arrived = {letter.origin: letter for letter in letters(bootstrap_servers, topic) if letter.origin in positions}
        if len(arrived) == len(positions) or time.monotonic() > deadline:
            return {origin: letter for origin, letter in arrived.items() if origin is not None}
        time.sleep(_LOOK_EVERY_S)


def _table(sent: dict[Position, Malformed], arrived: dict[Position, Letter]) -> Table:
    table = Table("sent to", "expected", "rejected for", "letter", "value", box=None)
    for position, kind in sorted(sent.items(), key=lambda item: (item[1].reason, item[0])):
        letter = arrived.get(position)
        preview = "(a tombstone)" if kind.template is None else ascii(kind.template[:50])[1:-1]
        found = (letter.reason, str(letter.position)) if letter else ("not yet", "-")
        table.add_row(*map(cell, (position, kind.reason, *found, preview)))
    return table
