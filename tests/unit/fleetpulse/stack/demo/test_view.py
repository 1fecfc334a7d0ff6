"""What the demo shows of a moment, in a terminal and in a pipe."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from fleetpulse.stack.demo.observe import Alert, Alerts, Figures, Health, Job
from fleetpulse.stack.demo.view import Moment, numbers, view

STORED = datetime(2026, 1, 1, 12, tzinfo=UTC)
OPEN = Alert(STORED, "open", "d1 has been silent for 64 s.")
FIGURES = Figures(1.0, read=1500, late=0, rejected=2, known=200, silent=3, anomalies=4, watermark_lag_ms=2340)
WELL = Moment(FIGURES, 243.0, Alerts(5, 2, STORED, [OPEN]), Health(), 60.0)
AWAY = Moment(
    Figures(2.0),
    None,
    None,
    Health(database=False, taskmanager=False, jobs={"monitor": Job("RESTARTING", 2, 10)}),
    61.0,
)


def printed(*moments: Moment, terminal: bool = False, width: int = 200) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal)
    with view(console) as shown:
        for moment in moments:
            shown.show(moment)
    return out.getvalue()


def test_figures_are_as_they_are_known() -> None:
    assert dict(numbers(WELL)) == {
        "devices": "200",
        "silent": "3",
        "anomalies": "4",
        "records/s": "243",
        "records": "1,500",
        "late": "0",
        "rejected": "2",
        "watermark delay": "2.3 s",
        "alerts": "5",
        "open": "2",
    }


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_narrow_terminal_shows_each_figure_whole(width: int) -> None:
    shown = printed(WELL, terminal=True, width=width)
    for name, value in numbers(WELL):
        assert name in shown
        assert value in shown


def test_what_is_not_known_is_a_dash_and_no_zero() -> None:
    assert {value for _, value in numbers(AWAY)} == {"-"}


def test_a_pipe_gets_lines_without_escape_codes() -> None:
    lines = printed(WELL, AWAY).splitlines()
    assert lines[0] == "12:00:00 open      d1 has been silent for 64 s."
    assert lines[1].startswith("devices 200 | silent 3 |")
    assert "\x1b" not in "".join(lines)


def test_a_pipe_is_told_at_once_what_is_down_and_that_it_is_back() -> None:
    lines = printed(WELL, AWAY, WELL, WELL).splitlines()
    assert lines[2].startswith(
        "postgres is down: being restarted | taskmanager is down: being restarted | "
        "the monitor job is restarting: 2 of 10 tasks run | devices - |"
    )
    assert lines[3].startswith("devices 200 |")
    assert len(lines) == 4


def test_a_terminal_shows_what_is_down_below_the_figures() -> None:
    screen = printed(AWAY, terminal=True)
    assert "taskmanager is down: being restarted" in screen
    assert "0.0 s" not in screen
