"""`fleetpulse stack psql` opens the stack's own database, with a client that comes with it."""

import os
from pathlib import Path

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.stack import cli
from fleetpulse.stack.install.wheels import postgres_bin
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.passwords import password


class BecomesError(Exception):
    """The process would have become another program."""


def becomes(path: str, arguments: list[str], environment: dict[str, str]) -> None:
    raise BecomesError(path, arguments, environment)


def test_it_becomes_psql_as_one_who_may_read_and_hides_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Layout(tmp_path / "stack", 1_000)
    stack.save()
    secret = password(stack, "monitor_user")
    monkeypatch.delenv("FLEETPULSE_PORT_OFFSET", raising=False)
    monkeypatch.setattr(os, "execve", becomes)
    monkeypatch.setattr(cli, "require_running", lambda _stack: None)
    with pytest.raises(BecomesError) as became:
        run(cli.command, ["psql", "--dir", str(stack.root), "-c", "SELECT 1"])
    path, arguments, environment = became.value.args
    assert path == str(postgres_bin() / "psql")
    assert arguments[1:] == ["-c", "SELECT 1"]
    named = {name: environment[f"PG{name}"] for name in ("HOST", "PORT", "USER", "DATABASE", "PASSWORD")}
    assert named == {
        "HOST": "127.0.0.1",
        "PORT": "6432",
        "USER": "monitor_user",
        "DATABASE": "monitoring",
        "PASSWORD": secret,
    }


def test_without_a_stack_it_says_how_to_start_one_and_makes_no_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cli.command, ["psql", "--dir", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: no stack runs in {tmp_path}: start it with ")
    assert list(tmp_path.iterdir()) == []
