"""`fleetpulse kafka` on a real broker."""

import re
import uuid

import pytest
from confluent_kafka import Consumer, TopicPartition

from fleetpulse.cli.commandline import run
from fleetpulse.kafka.cli import command
from fleetpulse.kafka.topics import delete_topics, ensure_topics
from fleetpulse.topics import Topic
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.kafka import producer

pytestmark = pytest.mark.e2e


def test_a_cluster_that_is_whole_is_said_to_be_so(stack: EmbeddedStack, capsys: pytest.CaptureFixture[str]) -> None:
    broker = ["--kafka.bootstrap.servers", stack.bootstrap]
    assert run(command, ["make-topics", *broker]) == 0
    assert run(command, ["make-topics", *broker]) == 0
    assert capsys.readouterr().out.endswith("all topics are there\n")
    assert run(command, ["test-topics", *broker]) == 0
    told = capsys.readouterr().out
    assert re.search(r"alerts +1 +1 +as it should be", told)
    assert "missing" not in told

    assert run(command, ["verify-cluster", *broker]) == 0
    assert f"1    {stack.bootstrap}" in capsys.readouterr().out
    assert run(command, ["test-external", *broker]) == 0
    assert f"broker 1 at {stack.bootstrap}: a record there and back" in capsys.readouterr().out


def test_topics_are_compared_with_ours_and_others_are_listed_with_their_partitions_and_copies(
    stack: EmbeddedStack, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = ["--kafka.bootstrap.servers", stack.bootstrap]
    other = Topic(f"other-{uuid.uuid4().hex[:8]}", 2)
    ensure_topics(stack.bootstrap, [other])
    assert run(command, ["make-topics", *broker]) == 0
    capsys.readouterr()
    assert run(command, ["test-topics", *broker]) == 0
    shown = capsys.readouterr().out
    assert re.search(rf"{other.name} +2 +1 +another topic", shown)
    assert "__consumer_offsets" not in shown


def test_groups_are_listed_with_what_they_have_not_read_yet(
    stack: EmbeddedStack, capsys: pytest.CaptureFixture[str]
) -> None:
    name = uuid.uuid4().hex[:8]
    topics = [Topic(f"read-{name}", 2), Topic(f"deleted-{name}", 1)]
    ensure_topics(stack.bootstrap, topics)
    writer = producer(stack.bootstrap)
    for number in range(7):
        writer.produce(topics[0].name, b"{}", partition=number % 2)
    assert writer.flush(60) == 0
    reader = Consumer({"bootstrap.servers": stack.bootstrap, "group.id": f"group-{name}"})
    read = [
        TopicPartition(topics[0].name, 0, 1),
        TopicPartition(topics[0].name, 1, 3),
        TopicPartition(topics[1].name, 0, 0),
    ]
    reader.commit(offsets=read, asynchronous=False)
    reader.close()
    delete_topics(stack.bootstrap, [topics[1]])
    assert run(command, ["groups", "--kafka.bootstrap.servers", stack.bootstrap]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["group", "state", "topic", "partitions", "lag"]
    assert [row for row in rows if name in row[0]] == [[f"group-{name}", "Empty", topics[0].name, "2", "3"]]
