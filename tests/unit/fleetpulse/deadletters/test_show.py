"""Letters are shown as far as they can be read, and harm no terminal."""

import io

import pytest
from rich.console import Console

from fleetpulse.deadletters import show
from fleetpulse.deadletters.letter import Letter, LetterState, Position, Verdict
from tests.bad_records import CASES

T0_MS = 1_767_225_600_000


def letter(value: bytes | None, reason: str = "malformed") -> Letter:
    return Letter(Position("telemetry.dlq", 1, 5), Position("events", 2, 17), reason, T0_MS, T0_MS, b"\x00k", value)


def printed(renderable) -> str:
    out = io.StringIO()
    Console(file=out, width=300).print(renderable)
    return out.getvalue()


@pytest.mark.parametrize("value", [value for value, _ in CASES.values()], ids=CASES)
def test_every_kind_of_value_can_be_shown(value):
    verdict = Verdict(LetterState.REPLAYABLE, 0)
    told = show.details(letter(value), verdict) + printed(show.listing([(letter(value), verdict)]))
    assert "telemetry.dlq:1:5" in told
    assert not set(told) & {chr(code) for code in range(32) if chr(code) != "\n"}


def test_a_value_is_decoded_up_to_where_it_breaks():
    told = show.details(letter(b'{"device_id":"d1","ts":17672'), Verdict(LetterState.REPLAYABLE, 0))
    assert '{"device_id":"d1","ts":17672' in told
    assert "^ character 28" in told
    assert "^ byte 2: invalid start byte" in show.details(letter(b'{"\xff'), Verdict(LetterState.REPLAYABLE, 0))


def test_statistics_count_by_reason_topic_and_state():
    pairs = [
        (letter(b"a"), Verdict(LetterState.REPLAYABLE, 0)),
        (letter(b"b"), Verdict(LetterState.REPLAYED, 1)),
        (letter(None, "empty"), Verdict(LetterState.PARKED, 3)),
    ]
    rows = [line.split() for line in printed(show.statistics(pairs)).splitlines()]
    assert rows[1][:3] == ["empty", "events", "1"]
    assert rows[2][:4] == ["malformed", "events", "2", "1"]


def test_a_waiting_letter_says_until_when():
    told = show.details(letter(b"a"), Verdict(LetterState.WAITING, 2, T0_MS))
    assert "waiting until 2026-01-01T00:00:00.000Z (2 retries)" in told
