"""What a job prints while Flink's client submits it."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.cli.main import fleetpulse
from fleetpulse.stack import cli, rest, submit
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.programs import flink

JOB_ID = "0123456789abcdef0123456789abcdef"
CHANGED = "rules: --rules becomes version 2 on 'rules', for all jobs that read this topic, and takes effect at …"


def test_a_change_of_rules_is_reported_beside_the_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = Layout(tmp_path, 0)
    stack.run.mkdir(parents=True)
    answer = f"WARNING: something of Java's\n{CHANGED}\nJob has been submitted with JobID {JOB_ID}\n"
    monkeypatch.setattr(flink, "environment", lambda *_: {})
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, answer, ""))
    assert submit.submit(stack, "anomaly", []) == JOB_ID
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"{CHANGED}\n")


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A stack that seems to run, in a folder that nothing names."""
    for name in ("KAFKA_BROKERS", "KAFKA_BOOTSTRAP_SERVERS", "FLEETPULSE_DIR", "FLEETPULSE_CHECKPOINT_DIR"):
        monkeypatch.delenv(name, raising=False)
    stack = Layout(tmp_path / "stack", 1000)
    stack.save()
    for name in ("package", "require_running", "refuse_second"):
        monkeypatch.setattr(cli, name, lambda *_: None)
    monkeypatch.setattr(rest, "running_jobs", lambda *_: [])
    return stack


@pytest.fixture
def submitted(
    running: Layout, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[str, list[str], Mapping[str, str]]]:
    """Submits a job by the command; returns its brokers, arguments and environment."""
    found: list[tuple[str, list[str], Mapping[str, str]]] = []
    reached: list[str] = []

    def check(_job: str, arguments: list[str], environment: Mapping[str, str]) -> int:
        found.append((reached[-1], arguments, environment))
        return 3

    monkeypatch.setattr(cli, "reach", reached.append)
    monkeypatch.setattr(cli, "check", check)

    def submit_it(*words: str) -> tuple[str, list[str], Mapping[str, str]]:
        assert run(fleetpulse, ["stack", "submit", "archive", *words]) == 3
        return found[-1]

    return submit_it


def test_a_job_is_of_the_stack_where_nothing_else_is_named(
    running: Layout, submitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEETPULSE_DIR", str(running.root))
    brokers, arguments, environment = submitted("--", "--archive", "alerts")
    assert (brokers, arguments) == ("127.0.0.1:10092", ["--archive", "alerts"])
    assert environment["FLEETPULSE_DIR"] == str(running.root)
    assert environment["FLEETPULSE_CHECKPOINT_DIR"] == running.checkpoints.as_uri()


def test_a_variable_or_an_argument_of_the_job_counts_more_than_the_stack(
    running: Layout, submitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEETPULSE_DIR", str(running.root))
    monkeypatch.setenv("KAFKA_BROKERS", "elsewhere:9092")
    monkeypatch.setenv("FLEETPULSE_CHECKPOINT_DIR", "s3://bucket/checkpoints")
    brokers, arguments, environment = submitted()
    assert (brokers, arguments) == ("elsewhere:9092", [])
    assert environment["FLEETPULSE_CHECKPOINT_DIR"] == "s3://bucket/checkpoints"
    assert submitted("--", "--archive", "alerts", "--kafka.bootstrap.servers", "mine:1")[0] == "mine:1"


def test_a_folder_that_is_named_counts_more_than_a_variable(
    running: Layout, submitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_BROKERS", "elsewhere:9092")
    brokers, arguments, _ = submitted("--dir", str(running.root), "--", "--archive", "alerts")
    assert (brokers, arguments) == ("127.0.0.1:10092", ["--dir", str(running.root), "--archive", "alerts"])


def test_paths_begin_where_the_job_is_submitted_and_modules_there_are_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trucks.yaml").write_text("rules: []\n")
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "__init__.py").write_text("raise AssertionError('not ours')\n")
    monkeypatch.chdir(tmp_path)
    arguments = ["--rules", "trucks.yaml", "--kafka.bootstrap.servers", "localhost:1"]
    assert isinstance(submit.check("monitor", arguments), submit.Checked)
