"""What the jobs read from the environment."""

from typing import Any

import click
import pytest

from jobs.archive import command as archive
from jobs.deciding import Plan, plan
from jobs.inactivity import DECISIONS, command

BROKERS = ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BROKERS", "FLEETPULSE_KAFKA_BOOTSTRAP_SERVERS")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*BROKERS, "DLQ_TOPIC"):
        monkeypatch.delenv(name, raising=False)


def given(command: click.Command, *arguments: str) -> dict[str, Any]:
    return command.make_context("job", list(arguments)).params


def planned(*arguments: str) -> Plan:
    return plan(DECISIONS, given(command, *arguments), partitions=3)


@pytest.mark.parametrize("job", [command, archive], ids=["inactivity", "archive"])
@pytest.mark.parametrize("variable", BROKERS)
def test_the_brokers_may_come_from_the_environment(
    job: click.Command, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert given(job)["bootstrap_servers"] == "localhost:9092"
    monkeypatch.setenv(variable, "a:9092,b:9094,c:9096")
    assert given(job)["bootstrap_servers"] == "a:9092,b:9094,c:9096"
    assert given(job, "--kafka.bootstrap.servers", "mine:1")["bootstrap_servers"] == "mine:1"


def test_the_inactivity_job_reads_and_writes_at_all_brokers_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BROKERS", "a:9092,b:9094,c:9096")
    job = planned()
    assert job.source.bootstrap_servers == job.sink.bootstrap_servers == "a:9092,b:9094,c:9096"


def test_the_topic_of_dead_letters_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert planned().outbox.dead_letters == "telemetry.dlq"
    monkeypatch.setenv("DLQ_TOPIC", "my.dlq")
    assert planned().outbox.dead_letters == "my.dlq"
    assert planned("--dlq.topic", "another.dlq").outbox.dead_letters == "another.dlq"
