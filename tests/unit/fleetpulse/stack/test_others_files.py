"""No command deletes what is not a stack's, as in a home, or goes on in a folder that it may not write to."""

import errno
import os
from pathlib import Path

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.cli.main import fleetpulse
from fleetpulse.errors import FleetpulseError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with files in `tmp`, `run` and `secrets`, as a home may have."""
    for name in ("tmp", "run", "secrets"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine").touch()
    (tmp_path / "README.md").touch()
    return tmp_path


@pytest.mark.parametrize("command", [["stack", "up"], ["demo"], ["stack", "reset"]], ids=" ".join)
def test_a_folder_with_somebodys_files_is_refused_and_left_as_it_is(
    command: list[str], home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def not_started(*_: object) -> None:
        raise FleetpulseError("it would be started")

    monkeypatch.setattr("fleetpulse.stack.programs.kafka.prepare", not_started)
    for _again in range(2):
        assert run(fleetpulse, [*command, "--dir", str(home)]) == 2
        assert f"error: --dir {home}: it holds README.md, which is no file of a stack" in capsys.readouterr().err
    assert all((home / name / "mine").exists() for name in ("tmp", "run", "secrets"))


def test_a_stack_whose_settings_were_deleted_is_still_one(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "notes").touch()
    assert run(fleetpulse, ["stack", "reset", "--dir", str(tmp_path)]) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["lock", "notes"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS], ids=os.strerror)
@pytest.mark.parametrize("command", [["stack", "up"], ["demo"]], ids=" ".join)
def test_a_folder_that_nobody_may_write_to_is_a_bad_argument(
    command: list[str],
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "stack"

    def refused(path: Path, *_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "mkdir", refused)  # root may write everywhere
    assert run(fleetpulse, [*command, "--dir", str(folder)]) == 2
    error = f"error: {folder}: {os.strerror(number)}: is it another user's? Use a folder of your own with --dir\n"
    assert capsys.readouterr().err == error
