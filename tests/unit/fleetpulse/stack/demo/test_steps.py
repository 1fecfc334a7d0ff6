"""The steps of a start."""

import io

import pytest
from rich.console import Console

from fleetpulse.stack.demo.steps import Steps, shown


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def drawn(steps: Steps) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=80).print(steps)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_steps_side_by_side_show_the_time_that_each_took() -> None:
    clock, lines = Clock(), list[str]()
    steps = Steps(lines.append, clock)
    steps.begin("kafka", "postgres")
    clock.now_s += 2
    steps.end("postgres")
    with steps.step("submit the monitor job"):
        clock.now_s += 3
        assert drawn(steps) == [
            *("… kafka 5.0 s", "✓ postgres 2.0 s", "… submit the monitor job 3.0 s", "since the start 5.0 s"),
        ]
    assert lines == ["  2.0 s  postgres: done in 2.0 s", "  5.0 s  submit the monitor job: done in 3.0 s"]


def test_a_step_that_fails_does_not_count_as_done() -> None:
    lines: list[str] = []
    steps = Steps(lines.append, Clock())
    with pytest.raises(ValueError, match="no"), steps.step("submit"):
        raise ValueError("no")
    assert lines == []
    assert drawn(steps)[0].startswith("… submit")


def test_a_pipe_gets_a_line_a_step() -> None:
    out = io.StringIO()
    with shown(Console(file=out)) as steps:
        steps.begin("kafka")
        steps.end("kafka")
    assert out.getvalue().count("\n") == 1
    assert "\x1b" not in out.getvalue()
