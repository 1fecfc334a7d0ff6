"""A second writer of the same topics is refused before anything starts; other mistakes take one line too."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import HTTPServer, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.stack import cli
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.submit import Checked, cause
from jobs.wiring.writers import Claim, refuse_second
from tests.serving import serving
from tests.unit.fleetpulse.stack.flink import Flink

MONITOR = Claim("127.0.0.1:9092", {"--alerts.topic": "alerts", "--ticks.topic": "fleetpulse.ticks.monitor"})
INACTIVITY = Claim("localhost:9092", {"--alerts.topic": "alerts", "--ticks.topic": "fleetpulse.ticks.inactivity"})
ANOTHER_CLOCK = Claim("localhost:9092", {"--alerts.topic": "mine", "--ticks.topic": "fleetpulse.ticks.monitor"})
ELSEWHERE = Claim("other:9092", MONITOR.places)
APART = Claim("127.0.0.1:9092", {"--alerts.topic": "mine", "--ticks.topic": "mine.ticks"})


@pytest.fixture
def flink() -> Iterator[Flink]:
    with serving(Flink()) as flink:
        yield flink


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs that would have been submitted."""
    begun: list[str] = []
    monkeypatch.setattr(cli, "package", lambda: Path("fleetpulse.zip"))
    monkeypatch.setattr(cli, "reach", lambda brokers: brokers)
    monkeypatch.setattr(cli, "submit", lambda _stack, job, *_: begun.append(job))
    return begun


def submit(flink: Flink, claim: Claim, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(cli, "check", lambda job, *_: Checked(f"{job}-alerts", claim, ""))
    return run(cli.command, ["submit", "inactivity", "--flink.rest", flink.address])


@pytest.mark.parametrize(
    ("claim", "named"),
    [
        pytest.param(
            MONITOR, "--alerts.topic: job 0123 (fleetpulse monitor) writes to 'alerts' already", id="the same"
        ),
        pytest.param(INACTIVITY, "--alerts.topic: job 0123 (fleetpulse monitor) writes to 'alerts'", id="another job"),
        pytest.param(ANOTHER_CLOCK, "--ticks.topic: job 0123", id="the same clock"),
    ],
)
def test_a_second_job_that_writes_to_the_same_topic_is_refused(
    claim: Claim,
    named: str,
    flink: Flink,
    submitted: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    flink.run("0123", claim=MONITOR)
    assert submit(flink, claim, monkeypatch) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert named in line
    assert "`make savepoint JOB=monitor STOP=1 JOB_ID=0123`" in line
    assert submitted == []


@pytest.mark.parametrize("state", ["FINISHED", "CANCELED", "FAILED"])
def test_a_job_that_has_ended_refuses_nothing(
    state: str, flink: Flink, submitted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    flink.run("0123", state, claim=MONITOR)
    assert submit(flink, MONITOR, monkeypatch) == 0
    assert submitted == ["inactivity"]


@pytest.mark.parametrize("claim", [ELSEWHERE, APART], ids=["other brokers", "other topics"])
def test_jobs_that_write_elsewhere_run_side_by_side(
    claim: Claim, flink: Flink, submitted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    flink.run("0123", claim=MONITOR)
    flink.run("0456")  # a job of somebody else, or of an older release
    assert submit(flink, claim, monkeypatch) == 0
    assert submitted == ["inactivity"]


def test_a_job_that_is_being_cancelled_is_waited_for(
    flink: Flink, submitted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    flink.run("0123", "CANCELLING", claim=MONITOR)
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _s: flink.run("0123", "CANCELED", claim=MONITOR))
    assert submit(flink, MONITOR, monkeypatch) == 0
    assert submitted == ["inactivity"]


def test_of_two_submissions_at_the_same_moment_one_is_refused(
    flink: Flink, submitted: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Layout(tmp_path, flink.server_address[1] - Layout(tmp_path).ports["flink-web"])
    stack.save()
    both = Barrier(2)

    def look(*arguments: Any) -> None:
        refuse_second(*arguments)
        with suppress(BrokenBarrierError):
            both.wait(0.3)  # for the other one, if it may look now

    def run_it(_stack: Layout, job: str, *_: object) -> str:
        submitted.append(job)
        flink.run("0123", claim=MONITOR)
        return "0123"

    monkeypatch.delenv("FLEETPULSE_PORT_OFFSET", raising=False)
    monkeypatch.setattr(cli, "require_running", lambda _stack: None)
    monkeypatch.setattr(cli, "check", lambda job, *_: Checked(f"{job}-alerts", MONITOR, ""))
    monkeypatch.setattr(cli, "refuse_second", look)
    monkeypatch.setattr(cli, "submit", run_it)
    command = ["submit", "monitor", "--dir", str(tmp_path)]
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(lambda _: run(cli.command, command), range(2))) == [0, 2]
    assert submitted == ["monitor"]


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    [line] = capsys.readouterr().err.splitlines()
    return line


def test_without_flink_the_line_names_what_starts_it(submitted: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as closed:
        address = f"127.0.0.1:{closed.server_address[1]}"
    assert run(cli.command, ["submit", "monitor", "--flink.rest", address]) == 2
    assert "make stack-up" in one_line(capsys)
    assert run(cli.command, ["savepoint", "monitor", "--flink.rest", address]) == 2
    assert f"Flink does not answer at {address}" in one_line(capsys)
    assert submitted == []


@pytest.mark.parametrize("command", ["submit", "savepoint"])
def test_a_folder_without_a_stack_is_named_with_what_starts_it(
    command: str, submitted: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cli.command, [command, "monitor", "--dir", str(tmp_path)]) == 2
    line = one_line(capsys)
    assert f"no stack runs in {tmp_path}" in line
    assert "`make stack-up`" in line
    assert submitted == []


def test_a_job_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(cli.command, ["submit", "monitr"]) == 2
    assert "'monitr' is not one of 'aggregate', 'anomaly'" in one_line(capsys)


def test_another_server_is_not_taken_for_flink(
    submitted: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)) as other:
        address = f"127.0.0.1:{other.server_address[1]}"
        assert run(cli.command, ["submit", "monitor", "--flink.rest", address]) == 2
    assert "is not Flink's REST interface" in one_line(capsys)
    assert submitted == []


def test_a_savepoint_of_a_job_that_does_not_run_names_those_that_do(
    flink: Flink, capsys: pytest.CaptureFixture[str]
) -> None:
    flink.run("0123")
    assert run(cli.command, ["savepoint", "archive", "--flink.rest", flink.address]) == 2
    assert one_line(capsys).endswith("jobs that run: fleetpulse monitor")


def test_a_missing_savepoint_is_named_before_flink_is_asked(
    submitted: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["submit", "monitor", "--restore", str(tmp_path / "nowhere"), "--dir", str(tmp_path / "stack")]
    assert run(cli.command, words) == 2
    assert f"--restore: {tmp_path}/nowhere does not exist" in one_line(capsys)
    assert submitted == []


def test_code_that_was_not_packed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fleetpulse.stack.submit.project_root", lambda: tmp_path)
    assert run(cli.command, ["submit", "monitor"]) == 2
    assert "make package" in one_line(capsys)


def test_the_cause_is_the_innermost_one_that_is_not_about_the_client_itself() -> None:
    output = """\
ERROR PythonDriver - Run python process failed
java.lang.RuntimeException: Python process exits with code: 1
Caused by: java.lang.RuntimeException: o.a.f.runtime.JobInitializationException: Could not start the JobMaster.
Caused by: java.util.concurrent.CompletionException: java.io.FileNotFoundException: Cannot find checkpoint 's3://b/nowhere'
Caused by: java.lang.NoSuchMethodException: close
py4j.protocol.Py4JJavaError: An error occurred while calling o51.execute.
Caused by: java.lang.RuntimeException: Python process exits with code: 1
\t... 13 more
"""
    assert cause(output) == "Cannot find checkpoint 's3://b/nowhere'"
    assert cause("ModuleNotFoundError: No module named 'x'\n") == "ModuleNotFoundError: No module named 'x'"
    assert cause("Could not build the program from JAR file.\n\n") == "Could not build the program from JAR file."
    assert cause("") == "no answer"
