"""What may become of a dead letter, decided from its headers and the ledger."""

import pytest

from fleetpulse.deadletters.letter import (
    Entry,
    Ledger,
    Letter,
    LetterState,
    Outcome,
    Position,
    RetryPolicy,
    Selection,
    decide,
    read_letter,
)

NOW_MS = 1_767_225_600_000
POLICY = RetryPolicy(max_retries=3, backoff_ms=60_000)
ORIGIN = Position("events", 2, 17)
HEADERS = {
    "__connect.errors.topic": b"events",
    "__connect.errors.partition": b"2",
    "__connect.errors.offset": b"17",
    "fleetpulse.reason": b"malformed",
    "fleetpulse.failed_at": b"2026-01-01T00:00:00.250Z",
}


def letter(offset: int = 0, origin: Position | None = ORIGIN, reason: str = "malformed") -> Letter:
    return Letter(Position("telemetry.dlq", 0, offset), origin, reason, NOW_MS, NOW_MS - 5, b"k", b"v")


def test_a_letter_is_read_by_its_headers():
    read = read_letter(Position("telemetry.dlq", 1, 5), NOW_MS, b"k", b"v", HEADERS)
    assert read == Letter(
        Position("telemetry.dlq", 1, 5), Position("events", 2, 17), "malformed", NOW_MS + 250, NOW_MS, b"k", b"v"
    )


@pytest.mark.parametrize("missing", HEADERS)
def test_a_letter_of_somebody_else_is_read_as_far_as_it_goes(missing):
    headers = {name: content for name, content in HEADERS.items() if name != missing}
    headers["__connect.errors.partition"] = headers.get("__connect.errors.partition", b"") + b"?"
    read = read_letter(Position("telemetry.dlq", 1, 5), NOW_MS, None, None, headers)
    assert read.origin is None
    assert read.reason == ("unknown" if missing == "fleetpulse.reason" else "malformed")
    assert (read.failed_at_ms is None) == (missing == "fleetpulse.failed_at")


def test_a_letter_is_replayed_once():
    ledger = Ledger()
    assert decide(letter(), ledger, POLICY, NOW_MS).state is LetterState.REPLAYABLE
    ledger.add(letter().origin, Entry(Outcome.REPLAYED, 1, NOW_MS, "events:0:99"))
    for same_record in (letter(), letter(50)):
        assert decide(same_record, ledger, POLICY, NOW_MS + 10**9).state is LetterState.REPLAYED


def test_a_replay_that_fails_again_waits_twice_as_long_each_time_and_is_parked_in_the_end():
    ledger, now_ms, waited = Ledger(), NOW_MS, []
    current = letter()
    for retry in (1, 2, 3):
        landed = Position("events", 0, 100 + retry)
        assert decide(current, ledger, POLICY, now_ms)[:2] == (LetterState.REPLAYABLE, retry - 1)
        ledger.add(current.origin, Entry(Outcome.REPLAYED, retry, now_ms, str(landed)))
        current = letter(retry, landed)
        verdict = decide(current, ledger, POLICY, now_ms)
        if verdict.state is LetterState.WAITING:
            assert verdict.due_ms is not None
            assert decide(current, ledger, POLICY, verdict.due_ms - 1).state is LetterState.WAITING
            waited.append(verdict.due_ms - now_ms)
            now_ms = verdict.due_ms
    assert waited == [60_000, 120_000]
    assert decide(current, ledger, POLICY, now_ms) == (LetterState.EXHAUSTED, 3, None)
    ledger.add(current.origin, Entry(Outcome.PARKED, 3, now_ms, "telemetry.dlq.parked:0:0"))
    assert decide(current, ledger, POLICY, now_ms).state is LetterState.PARKED


def test_without_an_origin_there_is_nowhere_to_put_it_back():
    assert decide(letter(origin=None), Ledger(), POLICY, NOW_MS).state is LetterState.NO_ORIGIN


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(), True),
        (Selection(reasons=frozenset({"malformed", "empty"})), True),
        (Selection(reasons=frozenset({"empty"})), False),
        (Selection(topics=frozenset({"events"})), True),
        (Selection(topics=frozenset({"telemetry.raw"})), False),
        (Selection(since_ms=NOW_MS, until_ms=NOW_MS + 1), True),
        (Selection(since_ms=NOW_MS + 1), False),
        (Selection(until_ms=NOW_MS), False),
        (Selection(positions=frozenset({(0, 7)})), True),
        (Selection(positions=frozenset({(1, 7)})), False),
    ],
)
def test_letters_are_chosen_by_reason_topic_time_and_place(selection, wanted):
    assert selection.wants(letter(7)) is wanted


def test_a_letter_that_does_not_say_is_not_chosen_by_it():
    silent = letter(7, origin=None)._replace(failed_at_ms=None)
    for selection in (Selection(topics=frozenset({"events"})), Selection(since_ms=1), Selection(until_ms=NOW_MS)):
        assert not selection.wants(silent)


def test_a_place_is_written_and_read():
    assert Position.read(str(Position("a:b", 1, 2))) == Position("a:b", 1, 2)
