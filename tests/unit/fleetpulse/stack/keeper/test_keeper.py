"""Jobs that a cluster has lost are submitted again, those that somebody stopped are not, and none for ever."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.errors import FleetpulseError
from fleetpulse.stack import cli
from fleetpulse.stack.keeper import program
from fleetpulse.stack.keeper.decisions import Step, step
from fleetpulse.stack.keeper.health import is_well
from fleetpulse.stack.keeper.program import attend
from fleetpulse.stack.keeper.submissions import (
    Submission,
    forget,
    holds_password,
    remember,
    remembered,
    variables_of,
    without_rules,
)
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.processes import supervision
from tests.serving import serving
from tests.unit.fleetpulse.stack.flink import Flink


@pytest.fixture
def stack(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "stack", 0)


@pytest.fixture
def flink() -> Iterator[Flink]:
    with serving(Flink()) as flink:
        yield flink


@pytest.fixture
def monitor(flink: Flink, tmp_path: Path) -> Submission:
    return Submission(
        identity="monitor-alerts",
        job="monitor",
        arguments=("--shards", "8"),
        variables={"TELEMETRY_TOPIC": "events"},
        checkpoints=(tmp_path / "checkpoints" / "monitor-alerts").as_uri(),
        folder=str(tmp_path),
        run="first",
        flink_rest=flink.address,
    )


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """What was submitted again: the job, and what it started from."""
    submitted: list[tuple[str, str | None]] = []

    def submit(_stack: Layout, job: str, _arguments: object, restore: str | None, *_: object) -> str:
        submitted.append((job, restore))
        return f"run-{len(submitted)}"

    monkeypatch.setattr(program, "submit", submit)
    return submitted


def checkpoint(submission: Submission, run: str, number: int) -> str:
    folder = Path(submission.checkpoints.removeprefix("file://"), run, f"chk-{number}")
    folder.mkdir(parents=True)
    (folder / "_metadata").write_bytes(b"x")
    return folder.as_uri()


@pytest.mark.parametrize(
    ("state", "due"),
    [
        (None, Step.SUBMIT),
        ("RUNNING", Step.LEAVE),
        ("RESTARTING", Step.LEAVE),
        ("CANCELLING", Step.LEAVE),
        ("CANCELED", Step.FORGET),
        ("FINISHED", Step.FORGET),
        ("FAILED", Step.GIVE_UP),
    ],
)
def test_what_is_done_follows_from_what_flink_shows(state: str | None, due: Step, monitor: Submission) -> None:
    assert step(monitor, state) == due
    assert step(replace(monitor, given_up="it failed"), state) == Step.LEAVE


def test_a_lost_job_goes_on_from_its_newest_checkpoint(
    stack: Layout, monitor: Submission, begun: list[tuple[str, str | None]]
) -> None:
    checkpoint(monitor, "first", 1)
    newest = checkpoint(monitor, "first", 2)
    checkpoint(monitor, "earlier", 99)  # of a run that this one was not started from
    remember(stack, monitor)
    attend(stack, monitor, Counter())
    assert begun == [("monitor", newest)]
    [kept] = remembered(stack)
    assert (kept.run, kept.restore) == ("run-1", newest)
    attend(stack, kept, Counter())  # lost again, before it has made a checkpoint
    assert begun[1:] == [("monitor", newest)]


def test_a_job_without_a_checkpoint_starts_from_what_it_had_started_from(
    stack: Layout, monitor: Submission, begun: list[tuple[str, str | None]]
) -> None:
    attend(stack, replace(monitor, restore="file:///savepoint"), Counter())
    attend(stack, monitor, Counter())
    assert begun == [("monitor", "file:///savepoint"), ("monitor", None)]


def test_a_job_that_runs_is_left_alone_and_one_that_was_stopped_is_forgotten(
    stack: Layout, flink: Flink, monitor: Submission, begun: list[tuple[str, str | None]]
) -> None:
    remember(stack, monitor)
    flink.run("first")
    attend(stack, monitor, Counter())
    assert list(remembered(stack)) == [monitor]
    flink.run("first", "CANCELED")
    attend(stack, monitor, Counter())
    assert list(remembered(stack)) == []
    assert begun == []


def test_nothing_happens_while_flink_is_away(
    stack: Layout, flink: Flink, monitor: Submission, begun: list[tuple[str, str | None]]
) -> None:
    remember(stack, monitor)
    flink.server_close()
    attend(stack, monitor, Counter())
    assert list(remembered(stack)) == [monitor]
    assert begun == []


def test_a_job_that_failed_for_good_is_reported_once_with_its_cause(
    stack: Layout,
    flink: Flink,
    monitor: Submission,
    begun: list[tuple[str, str | None]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    remember(stack, monitor)
    flink.run("first", "FAILED")
    flink.failure = "org.apache.flink.JobException: Recovery is suppressed\nCaused by: x.y.TimeoutException: no broker"
    for _ in range(2):
        [kept] = remembered(stack)
        attend(stack, kept, Counter())
    [line] = capsys.readouterr().out.splitlines()
    assert "job first failed for good: no broker; submit it with" in line
    flink.jobs.clear()  # its JobManager starts anew
    [kept] = remembered(stack)
    attend(stack, kept, Counter())
    assert begun == []
    monkeypatch.setattr(supervision, "statuses", lambda _stack: [supervision.Status("kafka", "RUNNING", 1, "")])
    assert run(cli.command, ["status", "--dir", str(stack.root)]) == 0
    assert "monitor-alerts: job first failed for good: no broker" in capsys.readouterr().out


def test_checkpoints_elsewhere_are_named_with_what_to_do(
    stack: Layout, monitor: Submission, begun: list[tuple[str, str | None]], capsys: pytest.CaptureFixture[str]
) -> None:
    attend(stack, replace(monitor, checkpoints="s3://bucket/checkpoints/monitor-alerts"), Counter())
    [line] = capsys.readouterr().out.splitlines()
    assert (
        "in s3://bucket/checkpoints/monitor-alerts; submit it with `fleetpulse stack submit monitor --restore" in line
    )
    assert begun == []


def test_it_is_given_up_after_some_attempts(
    stack: Layout, monitor: Submission, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> str:
        raise FleetpulseError("no broker answers")

    monkeypatch.setattr(program, "submit", refuse)
    remember(stack, monitor)
    failed: Counter[str] = Counter()
    while True:
        [kept] = remembered(stack)
        if kept.given_up:
            break
        attend(stack, kept, failed)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 21
    assert "no broker answers" in lines[-1]


def test_a_savepoint_that_stops_a_job_ends_its_keeping(stack: Layout, monitor: Submission) -> None:
    other = replace(monitor, identity="archive-alerts", run="other")
    remember(stack, monitor)
    remember(stack, other)
    forget(stack, "first")
    assert list(remembered(stack)) == [other]


def test_what_a_job_was_given_is_kept_but_for_its_rules_and_passwords(monitor: Submission) -> None:
    given = ["--rules", "a.yaml", "--rules.topic", "r", "--rules=b.yaml", "--shards", "8"]
    assert without_rules(given) == ("--rules.topic", "r", "--shards", "8")
    environment = {
        "TELEMETRY_TOPIC": "events",
        "FLEETPULSE_DATABASE_PASSWORD": "x",
        "FLEETPULSE_RULES": "a",
        "HOME": "/",
    }
    assert variables_of("monitor", environment) == {"TELEMETRY_TOPIC": "events"}
    assert "FLEETPULSE_DATABASE_PASSWORD" not in variables_of("archive", environment)
    assert not holds_password(monitor)
    assert holds_password(replace(monitor, arguments=("--schema.registry.url", "http://user:secret@registry:8085")))


def test_only_the_owner_can_read_what_is_kept(stack: Layout, monitor: Submission) -> None:
    remember(stack, monitor)
    [file] = stack.data.rglob("*.json")
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("{}")
    assert list(remembered(stack)) == []


def test_a_container_is_well_while_its_job_runs(flink: Flink) -> None:
    assert not is_well(flink.address, "fleetpulse monitor")
    flink.run("first")
    assert is_well(flink.address, "fleetpulse monitor")
    assert not is_well(flink.address, "fleetpulse archive")
    flink.run("first", "FAILED")
    assert not is_well(flink.address, "fleetpulse monitor")
    flink.server_close()
    assert not is_well(flink.address, "fleetpulse monitor")
