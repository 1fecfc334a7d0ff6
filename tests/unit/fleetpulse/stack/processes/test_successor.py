"""What a killed program left is ended by its successor, and nothing else is."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import pytest

from fleetpulse.stack.processes import successor

WAITS = "import signal; print(flush=True); signal.pause()"


@pytest.fixture
def marks() -> tuple[str, str]:
    return f"ours-{os.getpid()}", f"theirs-{os.getpid()}"


@pytest.fixture
def left(marks: tuple[str, str]) -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes that a killed program left, and one of another program's."""
    ours, theirs = marks
    with ExitStack() as running:
        started = []
        for mark in (ours, ours, theirs):
            environment = {**os.environ, successor.MARK: mark}
            process = subprocess.Popen(
                [sys.executable, "-c", WAITS], env=environment, stdout=subprocess.PIPE, text=True
            )
            running.callback(process.wait)
            running.callback(process.kill)
            assert process.stdout is not None
            process.stdout.readline()
            started.append(process)
        yield started


def test_leftovers_are_ended_and_nobody_else(marks: tuple[str, str], left: list[subprocess.Popen[str]]) -> None:
    successor.end_leftovers(marks[0])
    assert [psutil.pid_exists(process.pid) for process in left] == [False, False, True]


def test_the_program_runs_with_the_id_that_its_supervisor_knows(marks: tuple[str, str]) -> None:
    command = successor.command((sys.executable, "-c", "import os; print(os.getpid())"))
    environment = {**os.environ, successor.MARK: f"new {marks[0]}"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        told, _ = process.communicate(timeout=60)
    assert int(told) == process.pid
