import time
from dataclasses import replace

import pytest

from generator.scenario import ENDLESS_MS
from generator.sending.progress import display, seconds_left
from tests.unit.generator.fleets import QUIET, START_MS

# QUIET lasts 600 s.


def test_history_takes_what_its_speed_says():
    assert seconds_left(QUIET, done_ms=300_000, speed=100_000, now_ms=START_MS + 700_000) == 3


def test_a_live_run_ends_when_its_last_record_is_due():
    assert seconds_left(QUIET, done_ms=300_000, speed=100_000, now_ms=START_MS + 300_000) == 300


def test_nothing_is_left_after_the_end():
    assert seconds_left(QUIET, done_ms=600_000, speed=0, now_ms=START_MS + 700_000) == 0


@pytest.mark.parametrize(
    ("scenario", "said"),
    [(QUIET, "100 records, 10/s, 0:10:00 left"), (replace(QUIET, duration_ms=ENDLESS_MS), "100 records, 10.0/s")],
    ids=["with an end", "endless"],
)
def test_a_line_now_and_then_says_how_far_it_is(monkeypatch, capsys, scenario, said):
    now_s = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    monkeypatch.setattr(time, "time", lambda: START_MS / 1000)
    with display(scenario) as shown:
        now_s[0] = 10.0
        shown.update(100, 0)

    assert capsys.readouterr().err == f"{said}\n"
