"""Ctrl-C while a demo starts."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.stack.demo import command


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The handlers of signals, as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_it_says_that_it_stops_and_a_second_one_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    def down(*_: object) -> None:
        said.append(capsys.readouterr().out)
        os.kill(os.getpid(), signal.SIGINT)
        said.append("all is down")

    monkeypatch.delenv("FLEETPULSE_PORT_OFFSET", raising=False)
    monkeypatch.setattr(command, "start", interrupted)
    monkeypatch.setattr("fleetpulse.stack.lifecycle.down", down)
    assert run(command.command, ["--dir", str(tmp_path / "stack")]) == 130
    assert said[0].splitlines()[-1] == "stopping"
    assert said[1:] == ["all is down"]
