from generator.progress import seconds_left
from tests.unit.generator.fleets import QUIET, START_MS

# QUIET lasts 600 s.


def test_history_takes_what_its_speed_says():
    assert seconds_left(QUIET, done_ms=300_000, speed=100_000, now_ms=START_MS + 700_000) == 3


def test_a_live_run_ends_when_its_last_record_is_due():
    assert seconds_left(QUIET, done_ms=300_000, speed=100_000, now_ms=START_MS + 300_000) == 300


def test_nothing_is_left_after_the_end():
    assert seconds_left(QUIET, done_ms=600_000, speed=0, now_ms=START_MS + 700_000) == 0
