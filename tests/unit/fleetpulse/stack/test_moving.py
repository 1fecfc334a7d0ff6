"""A running stack is not moved to other ports, and no command reaches for those of another stack."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.cli.main import fleetpulse
from fleetpulse.errors import FleetpulseError
from fleetpulse.stack import rest
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.processes import supervision
from fleetpulse.stack.processes.supervision import Status
from tests.e2e.support.embedded import free_offset
from tests.unit.fleetpulse.stack.running import a_process_of

RUNNING = [
    Status("kafka", "RUNNING", 1, ""),
    Status("postgres", "RUNNING", 2, ""),
    Status("jobmanager", "FATAL", 0, ""),
]


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    """A stack that runs at offset 1000, with two jobs."""
    stack = Layout(tmp_path, 1000)
    stack.save()
    jobs = [rest.RunningJob("1", "fleetpulse archive"), rest.RunningJob("2", "fleetpulse monitor")]
    asked = {stack.address("flink-web"): jobs}
    monkeypatch.setattr(supervision, "statuses", lambda there: RUNNING if there == stack else [])
    monkeypatch.setattr(rest, "running_jobs", lambda address: asked[address])
    with a_process_of(stack):
        yield stack


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of a command that ends with exit code 2."""
    assert run(fleetpulse, list(arguments)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


@pytest.mark.parametrize("command", [["stack", "up"], ["demo"]], ids=" ".join)
def test_other_ports_are_refused_with_what_runs_what_would_end_and_what_to_do(
    command: list[str], running: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refused(capsys, *command, "--dir", str(running.root), "--port.offset", "2000")
    assert error.startswith(f"error: --port.offset 2000: the stack in {running.root} runs at offset 1000")
    assert "(kafka, postgres; jobs that would end: fleetpulse archive, fleetpulse monitor)" in error
    assert f"`fleetpulse stack down --dir {running.root}` first" in error
    assert Layout(running.root, 1000).root.joinpath("stack.json").read_text().count("1000") == 1


@pytest.mark.parametrize("command", [["stack", "up"], ["demo"]], ids=" ".join)
def test_other_ports_in_the_environment_are_refused_too(
    command: list[str], running: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLEETPULSE_PORT_OFFSET", "2000")
    assert "runs at offset 1000" in refused(capsys, *command, "--dir", str(running.root))


def test_without_an_answer_of_flink_its_jobs_are_not_known(
    running: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(_address: str) -> None:
        raise FleetpulseError("away")

    monkeypatch.setattr(rest, "running_jobs", away)
    error = refused(capsys, "stack", "up", "--dir", str(running.root), "--port.offset", "0")
    assert "Flink does not answer, so its jobs are not known" in error


@contextmanager
def another_stack(monkeypatch: pytest.MonkeyPatch, port: str) -> Iterator[socket.socket]:
    """A listener at a port of another stack, whose offset is in the environment."""
    offset = free_offset()
    with socket.create_server(("127.0.0.1", Layout(Path(), offset).ports[port])) as listener:
        monkeypatch.setenv("FLEETPULSE_PORT_OFFSET", str(offset))
        listener.setblocking(False)
        yield listener


@pytest.mark.parametrize("port", ["flink-web", "supervisor", "kafka"])
@pytest.mark.parametrize(
    ("command", "exit_code"),
    [
        (["stack", "submit", "inactivity"], 2),
        (["stack", "savepoint", "inactivity"], 2),
        (["stack", "status"], 1),
        (["stack", "down"], 0),
        (["load"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_for_a_stack_that_does_not_run_reaches_no_other_one(
    command: list[str], exit_code: int, port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "supervisord.conf").touch()  # it ran before
    with another_stack(monkeypatch, port) as listener:
        assert run(fleetpulse, [*command, "--dir", str(tmp_path)]) == exit_code
        with pytest.raises(BlockingIOError):
            listener.accept()
