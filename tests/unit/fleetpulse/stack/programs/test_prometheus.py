"""How the stack's Prometheus is told whom to scrape."""

import shutil
from pathlib import Path

import pytest
import yaml

from fleetpulse.errors import ConfigurationError
from fleetpulse.stack import lifecycle, options
from fleetpulse.stack.install import debian
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.processes import supervision
from fleetpulse.stack.programs import kafka, prometheus

CHECKED_IN = Path("deploy/observability/prometheus")


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setattr(kafka, "jars", lambda group: [Path("/jars") / f"{group}.jar"])
    monkeypatch.setattr(debian, "packages_dir", lambda: tmp_path / "debian")
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    stack = Layout(tmp_path / "stack", 1000, frozenset({"prometheus"}))
    stack.run.mkdir(parents=True)
    return stack


def addresses(folder: Path) -> dict[str, list[str]]:
    """The targets of each job."""
    found = {file.stem: yaml.safe_load(file.read_text()) for file in (folder / "targets").glob("*.yaml")}
    return {job: [target for group in groups for target in group["targets"]] for job, groups in found.items()}


def test_it_scrapes_the_programs_of_the_stack_by_the_checked_in_configuration(stack: Layout) -> None:
    prometheus.prepare(stack)
    folder = stack.run / "prometheus"
    assert (folder / "prometheus.yaml").read_text() == (CHECKED_IN / "prometheus.yaml").read_text()
    assert {file.name for file in (folder / "rules").iterdir()} == {f.name for f in (CHECKED_IN / "rules").iterdir()}
    assert addresses(folder) == {
        "flink": ["127.0.0.1:10249", "127.0.0.1:3113"],
        "kafka": ["127.0.0.1:8071"],
        "database": ["127.0.0.1:10187"],
        "simulator": ["127.0.0.1:3112"],
        "prometheus": ["127.0.0.1:10090"],
    }


def test_everybody_listens_on_the_loopback_interface_and_keeps_a_bounded_past(stack: Layout) -> None:
    exporter, server = prometheus.programs(stack)
    assert "--web.listen-address=127.0.0.1:10187" in exporter.command
    assert {"--web.listen-address=127.0.0.1:10090", "--storage.tsdb.retention.size=1GB"} <= set(server.command)
    assert f"--storage.tsdb.path={stack.data}/prometheus" in server.command


def test_the_exporter_reads_as_a_role_that_may_only_read_and_gets_no_password_but_a_file(stack: Layout) -> None:
    prometheus.prepare(stack)
    exporter, _ = prometheus.programs(stack)
    assert (stack.secrets / "monitor_user").exists()
    assert exporter.environment == {
        "DATA_SOURCE_URI": "127.0.0.1:6432/monitoring?sslmode=disable",
        "DATA_SOURCE_USER": "monitor_user",
        "DATA_SOURCE_PASS_FILE": str(stack.secrets / "monitor_user"),
    }


def test_kafka_shows_its_measures_only_where_it_is_asked_for(stack: Layout) -> None:
    [agent] = [word for word in kafka.program(stack).command if word.startswith("-javaagent:")]
    jar, _, rules = agent.removeprefix("-javaagent:").partition("=127.0.0.1:8071:")
    assert jar == "/jars/prometheus.jar"
    assert Path(rules) == CHECKED_IN.absolute() / "kafka-jmx.yaml"
    without = kafka.program(Layout(stack.root, 1000)).command
    assert [word for word in without if "agent" in word] == []


def test_a_kafka_that_runs_without_it_has_to_be_stopped_first(stack: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    Layout(stack.root, 1000).save()
    monkeypatch.setattr(supervision, "is_running", lambda _stack: True)
    with pytest.raises(ConfigurationError, match="--with prometheus: Kafka runs without it; stop it first"):
        list(lifecycle.up(stack))
    assert options.OPTIONS["prometheus"].part_of == "Kafka"
