"""Rule sets become versions on their topic: each number once, an unchanged set not at all, an invalid one never."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Producer

from fleetpulse.cli.main import fleetpulse
from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.rulefiles.files import load
from fleetpulse.rulefiles.topic import publish, read_book
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.versions import Version
from fleetpulse.topics import Topic
from jobs.wiring.ruling import rule_versions
from tests.e2e.support.embedded import EmbeddedStack

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[3]

RULE = "rules:\n- kind: threshold\n  id: hot\n  metric: temperature_c\n  above:\n    critical: {limit}\n"


@pytest.fixture
def topic() -> str:
    return f"rules-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def rules(stack: EmbeddedStack, topic: str) -> Callable[..., Result]:
    """`fleetpulse rules` on a topic of the test's own."""

    def call(command: str, *arguments: object) -> Result:
        places = ["--kafka.bootstrap.servers", stack.bootstrap, "--rules.topic", topic]
        return CliRunner().invoke(fleetpulse, ["rules", command, *places, *map(str, arguments)])

    return call


@pytest.fixture
def file(tmp_path: Path) -> Callable[[object], Path]:
    def write(limit: object) -> Path:
        path = tmp_path / f"{limit}.yaml"
        path.write_text(RULE.format(limit=limit))
        return path

    return write


def test_rules_are_applied_listed_compared_and_shown(rules, file, stack: EmbeddedStack, topic: str) -> None:
    assert isinstance(rules("apply", file("hot")).exception, FleetpulseError)
    assert "is not there" in str(rules("list").exception)  # what is invalid does not even make the topic
    first = rules("apply", file(50), "--effective.from", "2100-01-01T00:00:00Z")
    assert first.stdout == "version 1 takes effect at 2100-01-01T00:00:00.000Z: 1 rule (1 added)\n", first.exception
    assert rules("diff", file(50)).stdout == "+ hot (threshold)\n"  # nothing is in force yet
    again = rules("apply", file(50), "--effective.from", "2100-01-02T00:00:00Z")
    assert again.stdout.startswith("unchanged: version 1")
    second = rules("apply", file(55)).stdout.splitlines()
    assert second[0].startswith("version 2 takes effect at ")
    assert second[1] == "version 1 replaces it at 2100-01-01T00:00:00.000Z"
    broken = Producer({"bootstrap.servers": stack.bootstrap})
    broken.produce(topic, b"rubbish", b"7")
    assert broken.flush(60) == 0
    listed = rules("list")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["version", "2", "1"]
    assert f"{topic}:0:" in listed.stderr
    assert rules("apply", file(60)).stdout.startswith("version 8 takes effect at ")
    assert json.loads(rules("diff", "--versions", 1, 8, "--json").stdout)["changed"] == [
        {"id": "hot", "field": "above.critical", "before": 50.0, "after": 60.0}
    ]
    shown = file("shown")
    shown.write_text(rules("show", 8).stdout)
    assert rules("diff", shown, file(60)).stdout == "no difference\n"


def test_who_publishes_at_the_same_time_is_told_so(stack: EmbeddedStack, topic: str, file) -> None:
    ensure_topics(stack.bootstrap, [Topic(topic, 1)])
    one, other = (load(file(limit)) for limit in (50, 55))

    def overtaken(book):
        publish(stack.bootstrap, topic, lambda between: Version(between.next_number, 1, other))
        return Version(book.next_number, 1, one)

    with pytest.raises(FleetpulseError, match=r"version 1 was not published on .*: someone else is publishing rules"):
        publish(stack.bootstrap, topic, overtaken)
    assert read_book(stack.bootstrap, topic).versions == (Version(1, 1, other),)


@pytest.mark.parametrize("variable", ["MAX_TEMPERATURE", "MIN_HUMIDITY"])
def test_a_changed_variable_counts_at_every_submission_of_a_job(
    stack: EmbeddedStack, topic: str, rules, file, variable: str
) -> None:
    ensure_topics(stack.bootstrap, [Topic(topic, 1)])

    def submitted(**environment: str) -> list[RuleSet]:
        given = load(ROOT / "rules" / "fleet.yaml", environment)
        return [version.rules for version in rule_versions(stack.bootstrap, topic, given)]

    published, changed = (load(ROOT / "rules" / "fleet.yaml", environment) for environment in ({}, {variable: "45"}))
    assert submitted() == submitted() == [published]
    assert submitted(**{variable: "45"}) == [published, changed]
    rules("apply", file(60))
    assert len(submitted(**{variable: "45"})) == 3  # what was applied meanwhile stays
    assert submitted()[-1] == published
