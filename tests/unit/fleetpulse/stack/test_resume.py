"""Where a job goes on, and one YAML file over another."""

import os
from pathlib import Path

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.stack import cli, rest
from fleetpulse.stack.merge import merge
from fleetpulse.stack.resume import newest_checkpoint


def _checkpoint(folder: Path, run: str, number: int, at_s: int, complete: bool = True) -> Path:
    checkpoint = folder / run / f"chk-{number}"
    checkpoint.mkdir(parents=True)
    if complete:
        (checkpoint / "_metadata").write_bytes(b"x")
        os.utime(checkpoint / "_metadata", (at_s, at_s))
    return checkpoint


def test_a_job_goes_on_from_the_newest_complete_checkpoint_of_any_run(tmp_path: Path) -> None:
    _checkpoint(tmp_path, "first", 90, at_s=100)
    newest = _checkpoint(tmp_path, "second", 7, at_s=200)
    _checkpoint(tmp_path, "second", 8, at_s=300, complete=False)
    assert newest_checkpoint(tmp_path) == newest.as_uri()


def test_the_first_run_begins_from_nothing(tmp_path: Path) -> None:
    assert newest_checkpoint(tmp_path / "absent") is None


def test_a_job_that_runs_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rest, "running_jobs", lambda _address: {"fleetpulse monitor": "1"})
    assert run(cli.command, ["submit", "monitor", "--resume", str(tmp_path), "--flink-rest", "jobmanager:8081"]) == 0
    assert capsys.readouterr().out == "the monitor job runs already\n"


def test_a_job_that_does_not_run_goes_on_from_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str | None] = []
    monkeypatch.setattr(rest, "running_jobs", lambda _address: {"fleetpulse archive": "1"})
    monkeypatch.setattr(cli, "check", lambda _job, _arguments: 0)
    monkeypatch.setattr(cli, "submit", lambda _stack, _job, _given, restore, *_: begun.append(restore))
    newest = _checkpoint(tmp_path, "first", 3, at_s=100)
    assert run(cli.command, ["submit", "monitor", "--resume", str(tmp_path), "--flink-rest", "jobmanager:8081"]) == 0
    assert begun == [newest.as_uri()]


def test_the_upper_file_replaces_adds_and_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "below").write_text("a: 1\nb: 2\nc: 3\n")
    (tmp_path / "above").write_text("b: 20\nc: null\nd: 4\n")
    assert merge(tmp_path / "below", tmp_path / "above") == {"a": 1, "b": 20, "d": 4}
