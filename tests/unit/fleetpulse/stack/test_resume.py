"""Where a job goes on, which of several jobs is meant, and one YAML file over another."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.errors import ConfigurationError
from fleetpulse.stack import cli, rest
from fleetpulse.stack.merge import merge
from fleetpulse.stack.resume import existing, newest_checkpoint
from fleetpulse.stack.submit import Checked
from jobs.wiring.writers import Claim

MONITOR = "monitor-alerts"
ELSEWHERE = ("--flink-rest", "jobmanager:8081")


def _checkpoint(folder: Path, run: str, number: int, at_s: int, complete: bool = True) -> Path:
    checkpoint = folder / run / f"chk-{number}"
    checkpoint.mkdir(parents=True)
    if complete:
        (checkpoint / "_metadata").write_bytes(b"x")
        os.utime(checkpoint / "_metadata", (at_s, at_s))
    return checkpoint


def test_a_job_goes_on_from_the_newest_complete_checkpoint_of_any_of_its_runs(tmp_path: Path) -> None:
    _checkpoint(tmp_path / MONITOR, "first", 90, at_s=100)
    newest = _checkpoint(tmp_path / MONITOR, "second", 7, at_s=200)
    _checkpoint(tmp_path / MONITOR, "second", 8, at_s=300, complete=False)
    assert newest_checkpoint(tmp_path, MONITOR) == newest.as_uri()
    assert newest_checkpoint(tmp_path / MONITOR, MONITOR) == newest.as_uri()


def test_another_job_s_newer_checkpoint_is_never_taken(tmp_path: Path) -> None:
    own = _checkpoint(tmp_path / MONITOR, "first", 90, at_s=100)
    for other in ("monitor-alerts-2", "inactivity-alerts", "archive-alerts-0a1b2c3d"):
        _checkpoint(tmp_path / other, "other", 7, at_s=200)
    _checkpoint(tmp_path, "without-identity", 7, at_s=200)
    assert newest_checkpoint(tmp_path, MONITOR) == own.as_uri()


def test_the_first_run_begins_from_nothing(tmp_path: Path) -> None:
    assert newest_checkpoint(tmp_path / "absent", MONITOR) is None
    _checkpoint(tmp_path / "inactivity-alerts", "other", 7, at_s=200)
    _checkpoint(tmp_path / MONITOR, "first", 1, at_s=300, complete=False)
    assert newest_checkpoint(tmp_path, MONITOR) is None


@pytest.mark.parametrize(
    ("theirs", "named"),
    [
        pytest.param("monitor-alerts.old", "monitor-alerts.old", id="the same job with another alerts topic"),
        pytest.param(".", "a job without an identity", id="a release before there were identities"),
    ],
)
def test_checkpoints_that_may_be_another_job_s_are_refused(tmp_path: Path, theirs: str, named: str) -> None:
    _checkpoint(tmp_path / theirs, "first", 7, at_s=200)
    with pytest.raises(ConfigurationError, match="--restore") as refused:
        newest_checkpoint(tmp_path, MONITOR)
    assert named in str(refused.value)


def test_the_folder_of_another_job_is_refused(tmp_path: Path) -> None:
    _checkpoint(tmp_path / "monitor-alerts.old", "first", 7, at_s=200)
    with pytest.raises(ConfigurationError, match="no checkpoint of monitor-alerts"):
        newest_checkpoint(tmp_path / "monitor-alerts.old", MONITOR)


def test_a_savepoint_is_looked_for_before_anything_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    savepoint = _checkpoint(tmp_path / "a b", "run", 1, at_s=100)
    monkeypatch.chdir(savepoint.parent)
    for given in (str(savepoint), savepoint.as_uri(), "chk-1"):
        assert existing(given) == savepoint.as_uri()
    assert existing(f"{savepoint}/_metadata") == f"{savepoint.as_uri()}/_metadata"
    assert existing("s3://bucket/savepoint") == "s3://bucket/savepoint"
    with pytest.raises(ConfigurationError, match=r"--restore: .*/nowhere does not exist"):
        existing("nowhere")
    with pytest.raises(ConfigurationError, match="has no file _metadata"):
        existing(tmp_path.as_uri())


Running = dict[str, tuple[str, str | None]]


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Running:
    """The jobs that run in Flink, which a test fills: name and identity by id."""
    jobs: Running = {}

    def get(_address: str, path: str) -> Any:
        if path == "/jobs/overview":
            return {"jobs": [{"jid": job, "name": name, "state": "RUNNING"} for job, (name, _) in jobs.items()]}
        _, identity = jobs[path.split("/")[2]]
        return {"execution-config": {"user-config": {"fleetpulse.identity": identity} if identity else {}}}

    monkeypatch.setattr(rest, "get", get)
    return jobs


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What jobs have been started from."""
    started: list[str | None] = []
    monkeypatch.setattr(cli, "check", lambda job, *_: Checked(f"{job}-alerts", Claim("kafka:9092", {}), ""))
    monkeypatch.setattr(cli, "package", lambda: Path("fleetpulse.zip"))
    monkeypatch.setattr(cli, "reach", lambda brokers: brokers)
    monkeypatch.setattr(cli, "submit", lambda _stack, _job, _given, restore, *_: started.append(restore))
    monkeypatch.setattr(cli, "update_rules", lambda *_: 0)
    return started


def test_a_job_that_runs_is_left_alone(
    tmp_path: Path, running: Running, begun: list[str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    running["1"] = ("fleetpulse monitor", MONITOR)
    assert run(cli.command, ["submit", "monitor", "--resume", str(tmp_path), *ELSEWHERE]) == 0
    assert capsys.readouterr().out == "the monitor job runs already\n"
    assert begun == []


def test_a_job_that_runs_gets_the_rules_of_the_submission(
    tmp_path: Path, running: Running, begun: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    updated: list[list[str]] = []

    def update(job: str, given: list[str], _environment: Mapping[str, str]) -> int:
        updated.append([job, *given])
        return 2

    monkeypatch.setattr(cli, "update_rules", update)
    running["1"] = ("fleetpulse monitor", MONITOR)
    words = ["submit", "monitor", "--resume", str(tmp_path), *ELSEWHERE, "--", "--rules", "rules/fleet.yaml"]
    assert run(cli.command, words) == 2
    assert updated == [["monitor", "--rules", "rules/fleet.yaml"]]
    assert begun == []


def test_a_job_that_does_not_run_goes_on_from_its_checkpoint(
    tmp_path: Path, running: Running, begun: list[str | None]
) -> None:
    running["1"] = ("fleetpulse archive", "archive-alerts")
    running["2"] = ("fleetpulse monitor", "monitor-other")
    newest = _checkpoint(tmp_path / MONITOR, "first", 3, at_s=100)
    assert run(cli.command, ["submit", "monitor", "--resume", str(tmp_path), *ELSEWHERE]) == 0
    assert begun == [newest.as_uri()]


def test_nothing_is_started_beside_a_job_that_may_be_the_same(
    tmp_path: Path, running: Running, begun: list[str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    running["0123"] = ("fleetpulse monitor", None)
    assert run(cli.command, ["submit", "monitor", "--resume", str(tmp_path), *ELSEWHERE]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "0123" in line
    assert begun == []


def test_nothing_is_started_where_the_job_refuses_its_arguments(
    tmp_path: Path, running: Running, begun: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "check", lambda *_: 2)
    assert run(cli.command, ["submit", "monitor", "--resume", str(tmp_path), *ELSEWHERE]) == 2
    assert begun == []


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, list[str]]]:
    """Takes a savepoint by the command: its exit code, and the ids of the jobs it has taken one of."""
    taken: list[str] = []

    def savepoint(_address: str, job: str, _folder: str | None, _stop: bool) -> str:
        taken.append(job)
        return "file:///savepoint"

    monkeypatch.setattr(rest, "savepoint", savepoint)
    return lambda *words: (run(cli.command, ["savepoint", "monitor", "--stop", *words, *ELSEWHERE]), taken)


def test_of_one_job_a_savepoint_is_taken(running: Running, saved: Callable[..., tuple[int, list[str]]]) -> None:
    running["1"] = ("fleetpulse archive", "archive-alerts")
    running["2"] = ("fleetpulse monitor", MONITOR)
    assert saved() == (0, ["2"])


def test_of_several_jobs_of_one_name_none_is_stopped_unless_it_is_named(
    running: Running, saved: Callable[..., tuple[int, list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    running["aa"] = ("fleetpulse monitor", MONITOR)
    running["bb"] = ("fleetpulse monitor", "monitor-other")
    assert saved() == (2, [])
    [line] = capsys.readouterr().err.splitlines()
    assert "--job.id" in line
    assert "aa, bb" in line
    assert saved("--job.id", "bb") == (0, ["bb"])


def test_an_id_of_no_job_of_that_name_is_refused(
    running: Running, saved: Callable[..., tuple[int, list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    running["aa"] = ("fleetpulse monitor", MONITOR)
    running["bb"] = ("fleetpulse archive", "archive-alerts")
    assert saved("--job.id", "bb") == (2, [])
    assert "--job.id: 'bb'" in capsys.readouterr().err


def test_the_upper_file_replaces_adds_and_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "below").write_text("a: 1\nb: 2\nc: 3\n")
    (tmp_path / "above").write_text("b: 20\nc: null\nd: 4\n")
    assert merge(tmp_path / "below", tmp_path / "above") == {"a": 1, "b": 20, "d": 4}
