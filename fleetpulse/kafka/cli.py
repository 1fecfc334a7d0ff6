"""`fleetpulse kafka`: creates topics and checks a cluster."""

import time
from collections.abc import Iterator
from typing import BinaryIO

import click
from confluent_kafka import Consumer
from rich.table import Table

from fleetpulse.cli.connections import bootstrap_servers
from fleetpulse.cli.parameters import TOPIC
from fleetpulse.cli.tables import cell, console, counted, echo, echo_records
from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka.broker import reach
from fleetpulse.kafka.cluster import cluster, differences, expected, faults, there_and_back, topics_as_they_are
from fleetpulse.kafka.groups import group_lags
from fleetpulse.kafka.reading import partitions_of
from fleetpulse.kafka.sending import send
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.topics import TOPICS, ticks

_STANDARD = (*TOPICS, ticks("monitor"))
_POLL_S = 0.5


@click.group("kafka")
def command() -> None:
    """Look at a Kafka cluster, wherever it runs."""


@command.command("make-topics")
@bootstrap_servers
def make_topics_command(bootstrap_servers: str) -> None:
    """Make the topics that are missing; those that are there stay as they are."""
    made = ensure_topics(reach(bootstrap_servers), _STANDARD)
    for name in made:
        click.echo(f"made {name}")
    if not made:
        click.echo("all topics are there")


@command.command("test-topics")
@bootstrap_servers
def test_topics_command(bootstrap_servers: str) -> int:
    """Compare our topics with what they should be, and list all others. Exit code 1 where one of ours differs."""
    found = topics_as_they_are(reach(bootstrap_servers))
    wrong = {topic.name: differences(topic, found.get(topic.name)) for topic in expected(found)}
    table = Table("topic", "partitions", "copies", "is", box=None)
    for name, what in wrong.items():
        size = (str(found[name].partitions), str(found[name].replicas)) if name in found else ("-", "-")
        table.add_row(cell(name), *size, cell("; ".join(what) or "as it should be"))
    for name in sorted(found.keys() - wrong.keys()):
        table.add_row(cell(name), str(found[name].partitions), str(found[name].replicas), "another topic")
    console().print(table)
    return 1 if any(wrong.values()) else 0


@command.command("verify-cluster")
@bootstrap_servers
def verify_cluster_command(bootstrap_servers: str) -> int:
    """Show brokers, controllers and copies. Exit code 1 where one is missing or behind."""
    found = cluster(reach(bootstrap_servers))
    for node, address in found.brokers.items():
        role = "leads the controllers" if node == found.leader else "controller" if node in found.controllers else ""
        echo(f"{node:<4} {address:<24} {role}".rstrip())
    least = min((len(p.replicas) for p in found.partitions), default=0)
    click.echo(f"{len(found.partitions)} partitions, each with {least} or more copies")
    wrong = list(faults(found))
    for fault in wrong:
        echo(fault)
    return 1 if wrong else 0


@command.command("groups")
@bootstrap_servers
def groups_command(bootstrap_servers: str) -> None:
    """List consumer groups: which topics they read, and how many records they are behind.

    Flink jobs commit with each checkpoint; Kafka calls a group Empty whose members assign partitions themselves.
    """
    table = Table("group", "state", "topic", "partitions", "lag", box=None)
    for row in group_lags(reach(bootstrap_servers)):
        table.add_row(*map(cell, (row.group, row.state, row.topic)), str(row.partitions), f"{row.lag:,}")
    console().print(table)


@command.command("test-external")
@bootstrap_servers
def test_external_command(bootstrap_servers: str) -> None:
    """Reach every broker at its advertised address, and send a record through each."""
    for node, address in cluster(reach(bootstrap_servers)).brokers.items():
        began = time.monotonic()
        there_and_back(address, f"{node} {time.time_ns()}".encode())
        echo(f"broker {node} at {address}: a record there and back, {time.monotonic() - began:.1f} s")


@command.command("send")
@click.argument("topic", type=TOPIC)
@click.argument("lines", metavar="FILE|-", type=click.File("rb", lazy=False))
@bootstrap_servers
def send_command(topic: str, lines: BinaryIO, bootstrap_servers: str) -> int:
    """Send records to TOPIC, one JSON object a line, and print what the jobs make of each.

    That is which metrics they read, which fields they drop and why, or why they reject it: what is rejected is sent all
    the same, and becomes a dead letter. The key of a record is its device. Exit code 1 where one is rejected.
    """
    outcomes = []
    for number, record in enumerate(send(reach(bootstrap_servers), topic, filter(None, map(bytes.strip, lines))), 1):
        echo(*(f"{number:>4}  {line}" for line in record.lines))
        outcomes.append(record.accepted)
    echo(f"sent {counted(len(outcomes), 'record')} to {topic}, {sum(outcomes):,} accepted")
    return 0 if all(outcomes) else 1


@command.command("watch")
@click.argument("topic", type=TOPIC)
@bootstrap_servers
def watch_command(topic: str, bootstrap_servers: str) -> None:
    """Print the values of TOPIC as they come, until interrupted."""
    echo_records(_values(reach(bootstrap_servers), topic))


def _values(bootstrap_servers: str, topic: str) -> Iterator[bytes]:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": f"fleetpulse-watch-{time.time_ns()}",
            "enable.auto.commit": False,
            "auto.offset.reset": "latest",
            "isolation.level": "read_committed",
            "allow.auto.create.topics": False,
            "log_level": 0,
        }
    )
    try:
        partitions_of(consumer, bootstrap_servers, topic)
        consumer.subscribe([topic])
        while True:
            message = consumer.poll(_POLL_S)
            if message is None:
                continue
            if error := message.error():
                raise FleetpulseError(f"cannot read {topic}: {error.str()}")
            yield message.value() or b""
    finally:
        consumer.close()
