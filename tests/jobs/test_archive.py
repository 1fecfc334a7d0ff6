"""What the archive job says to arguments it cannot use."""

from pathlib import Path

import pytest

from clients.commandline import run
from jobs.archive import command

pytestmark = pytest.mark.jobs


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETPULSE_DATABASE_PASSWORD", "secret")


def test_check_submits_nothing() -> None:
    assert run(command, ["--check"]) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--database.url", "localhost"], "jdbc:postgresql://", id="not a JDBC URL"),
        pytest.param(["--parallelism", "0"], "1<=x<=128", id="no subtask"),
        pytest.param(["--parallelism", "two"], "not a valid integer", id="no number"),
        pytest.param(["--database.password.file", "/no/such/file"], "does not exist", id="no password file"),
        pytest.param(["--database.password", "secret"], "No such option", id="a password on the command line"),
    ],
)
def test_bad_arguments_end_with_one_line(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, ["--check", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_a_password_is_needed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("FLEETPULSE_DATABASE_PASSWORD")
    assert run(command, ["--check"]) == 2
    assert "FLEETPULSE_DATABASE_PASSWORD" in capsys.readouterr().err


def test_the_password_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FLEETPULSE_DATABASE_PASSWORD")
    file = tmp_path / "password"
    file.write_text("secret\n")
    assert run(command, ["--check", "--database.password.file", str(file)]) == 0
