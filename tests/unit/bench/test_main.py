"""Measurements run on the stack of the folder that is named."""

from pathlib import Path

import click
import pytest

from bench import __main__ as bench
from bench.report import folder_option, output_option
from fleetpulse.cli.commandline import run
from fleetpulse.stack.layout import Layout


def test_the_stack_that_is_started_is_the_one_that_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Layout] = []
    measured: list[str] = []

    def up(stack: Layout) -> list[str]:
        started.append(stack)
        return ["kafka"]

    @click.command()
    @folder_option
    @output_option
    def measurement(folder: str, output: Path | None) -> None:
        measured.append(folder)

    monkeypatch.setattr("fleetpulse.stack.lifecycle.up", up)
    command = bench._on_the_stack("measurement", measurement)
    assert run(command, ["--dir", str(tmp_path)]) == 0
    assert [str(stack.root) for stack in started] == measured == [str(tmp_path)]
