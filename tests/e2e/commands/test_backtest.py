"""A backtest gives the monitor job's alerts for the same records, and explains one of them."""

import json
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result

from fleetpulse import topics
from fleetpulse.backtest.sources.records import without_detection
from fleetpulse.cli.main import fleetpulse
from fleetpulse.errors import ConfigurationError
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.stack import submit
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.jobs import Job, lasting
from tests.e2e.support.kafka import messages, producer
from tests.unit.fleetpulse.backtest.histories import partition_of, write_rules
from tests.unit.fleetpulse.shard.test_monitoring_shard import RULES, history

pytestmark = pytest.mark.e2e

PARTITIONS = 3


@pytest.fixture(scope="module")
def name(stack: EmbeddedStack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What topics begin with: of history, and of what the monitor job made of it."""
    name = f"backtest-{uuid.uuid4().hex[:8]}"
    telemetry = lasting(replace(topics.TELEMETRY, name=f"{name}.telemetry", partitions=PARTITIONS))
    ensure_topics(stack.bootstrap, [telemetry])
    writing = producer(stack.bootstrap)
    for record in history(3):
        writing.produce(
            telemetry.name, record.value, partition=partition_of(record, PARTITIONS), timestamp=record.kafka_time_ms
        )
    assert writing.flush(60) == 0
    own = [(f"--{kind}.topic", f"{name}.{kind}") for kind in ("alerts", "late", "dlq", "rules", "aggregates", "ticks")]
    arguments = [
        *submit.defaults(stack.layout, "monitor"),
        *("--events.topic", telemetry.name, "--checkpoint.interval.ms", "1000", "--bounded"),
        *(part for pair in own for part in pair),
        *("--rules", str(write_rules(tmp_path_factory.mktemp("rules") / "rules.json", RULES))),
    ]
    Job(stack, submit.submit(stack.layout, "monitor", arguments)).wait_until_finished()
    return name


@pytest.fixture
def call(stack: EmbeddedStack, name: str) -> Callable[..., Result]:
    """A command over this history, by the rules that the job published."""
    places = ["--kafka.bootstrap.servers", stack.bootstrap, "--topic", f"{name}.telemetry"]
    rules = ["--rules.topic", f"{name}.rules"]

    def invoke(command: str, *arguments: str) -> Result:
        return CliRunner().invoke(fleetpulse, [command, *arguments, *places, *rules], standalone_mode=False)

    return invoke


def told(stack: EmbeddedStack, name: str) -> list[bytes]:
    return sorted(without_detection(message.value()) for message in messages(stack.bootstrap, f"{name}.alerts"))


def test_a_backtest_equals_the_alerts_of_the_job_byte_for_byte(stack: EmbeddedStack, name: str, call) -> None:
    done = call("backtest", "--json")
    assert sorted(done.stdout_bytes.splitlines()) == told(stack, name), done.exception
    assert {json.loads(record)["rule_id"] for record in told(stack, name)} >= {"hot", "odd", "inactivity"}


def test_an_alert_of_the_job_is_explained_and_an_unknown_one_is_not(stack: EmbeddedStack, name: str, call) -> None:
    alerts = map(json.loads, told(stack, name))
    ended = next(alert for alert in alerts if (alert["rule_id"], alert["state"]) == ("hot", "recovered"))
    done = call("explain", ended["alert_id"], "--alerts.topic", f"{name}.alerts", "--json")
    assert done.return_value == 0, done.output or done.exception
    document = json.loads(done.stdout)
    assert [revision["state"] for revision in document["revisions"]][-1] == "recovered"
    origin = document["revisions"][0]["records"][-1]["origin"]
    topic, partition, offset = origin.split(":")
    [record] = [
        message
        for message in messages(stack.bootstrap, topic)
        if (message.partition(), message.offset()) == (int(partition), int(offset))
    ]
    assert ended["device_id"].encode() in record.value()
    places = ["--dir", str(stack.dir), "--alerts.topic", f"{name}.alerts", "--rules.topic", f"{name}.rules"]
    found = CliRunner().invoke(fleetpulse, ["explain", ended["alert_id"], *places, "--json"], standalone_mode=False)
    assert found.return_value == 0, found.output or found.exception  # in the topics that the job's group has read
    assert json.loads(found.stdout) == document
    unknown = call("explain", str(uuid.uuid4()), "--alerts.topic", f"{name}.alerts")
    assert isinstance(unknown.exception, ConfigurationError)
