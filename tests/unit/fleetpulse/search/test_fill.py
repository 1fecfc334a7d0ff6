"""From records to documents: what is written, and when it is done with."""

from collections.abc import Sequence
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from fleetpulse.errors import FleetpulseError
from fleetpulse.search.fill import Reading, fill
from fleetpulse.search.server import Refusal

NOON_MS = 1_767_268_800_000
HOW = Reading(60_000)
READING = b'{"device_id": "d1", "temperature_c": 46, "ts": %d}' % (NOON_MS + 250)


class Record:
    """A Kafka message, as far as anybody looks."""

    def __init__(self, offset: int, value: bytes | None, error: KafkaError | None = None) -> None:
        self._offset, self._value, self._error = offset, value, error

    def error(self) -> KafkaError | None:
        return self._error

    def topic(self) -> str:
        return "telemetry.raw"

    def partition(self) -> int:
        return 2

    def offset(self) -> int:
        return self._offset

    def value(self) -> bytes | None:
        return self._value

    def timestamp(self) -> tuple[int, int]:
        return 1, NOON_MS


class Consumer:
    """Has these records; notes in `done` what happens in which order."""

    def __init__(self, done: list[str], records: Sequence[Record], commit_fails: bool = False) -> None:
        self._done, self._records, self._commit_fails = done, list(records), commit_fails

    def poll(self, _timeout_s: float) -> Record | None:
        return self._records.pop(0) if self._records else None

    def commit(self, *, asynchronous: bool) -> None:
        assert not asynchronous
        self._done.append("committed")
        if self._commit_fails:
            raise KafkaException(KafkaError(KafkaError.ILLEGAL_GENERATION))


class Search:
    """Takes documents, or fails."""

    def __init__(self, done: list[str], refused: Sequence[Refusal] = (), away: bool = False) -> None:
        self._done, self._refused, self._away = done, list(refused), away
        self.documents: list[dict[str, Any]] = []

    def write(self, documents: Sequence[dict[str, Any]]) -> list[Refusal]:
        if self._away:
            raise FleetpulseError("away")
        self._done.append("written")
        self.documents += documents
        return self._refused


def first_lot(consumer: Consumer, search: Search) -> tuple[int, int, int]:
    return next(fill(consumer, search, HOW))


def test_readings_and_what_is_none_become_documents_named_by_their_place() -> None:
    search = Search([])
    records = [Record(7, READING), Record(8, b"r\xffbbish" + b"x" * 2000), Record(9, None)]
    assert first_lot(Consumer([], records), search) == (3, 2, 0)
    reading, rubbish, nothing = search.documents
    assert reading == {
        "time": "2026-01-01T12:00:00.250Z",
        "device_id": "d1",
        "origin": "telemetry.raw:2:7",
        "temperature_c": 46.0,
    }
    assert (rubbish["reason"], rubbish["origin"]) == ("malformed", "telemetry.raw:2:8")
    assert rubbish["text"].startswith("r\N{REPLACEMENT CHARACTER}bbish")
    assert len(rubbish["text"]) == 1000
    assert nothing == {"reason": "empty", "text": "", "origin": "telemetry.raw:2:9", "time": "2026-01-01T12:00:00.000Z"}


def test_every_known_metric_stands_beside_the_device_and_a_senders_own_below_metrics() -> None:
    vibration = b'{"sensor_id": "s1", "sensor_type": "vibration", "value": 2.5}'
    noise = b'{"device_id": "d2", "event_type": "custom", "payload": {"name": "noise.max", "value": 60}}'
    search = Search([])
    first_lot(Consumer([], [Record(0, vibration), Record(1, noise)]), search)
    assert search.documents[0]["vibration_mm_s"] == 2.5
    assert search.documents[1]["metrics"] == {"noise.max": 60.0}


def test_a_lot_is_done_with_after_it_is_written() -> None:
    done: list[str] = []
    first_lot(Consumer(done, [Record(0, READING)]), Search(done))
    assert done == ["written", "committed"]


def test_a_lot_that_is_not_written_is_not_done_with() -> None:
    done: list[str] = []
    with pytest.raises(FleetpulseError, match="away"):
        first_lot(Consumer(done, [Record(0, READING)]), Search(done, away=True))
    assert done == []


def test_a_refused_document_is_counted_and_told_and_the_lot_is_done_with(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []
    refusal = Refusal("telemetry.raw:2:0", "does not fit")
    assert first_lot(Consumer(done, [Record(0, READING)]), Search(done, [refusal])) == (1, 0, 1)
    assert done == ["written", "committed"]
    assert "refuses 1 documents; the first, telemetry.raw:2:0: does not fit" in caplog.text


def test_partitions_that_another_reader_has_got_are_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    assert first_lot(Consumer([], [Record(0, READING)], commit_fails=True), Search([])) == (1, 0, 0)
    assert "will be read again" in caplog.text


def test_a_topic_that_cannot_be_read_is_one() -> None:
    failed = Record(0, None, KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
    with pytest.raises(FleetpulseError, match="topics cannot be read"):
        first_lot(Consumer([], [failed]), Search([]))


def test_a_lot_is_no_larger_than_memory_likes() -> None:
    large = [Record(offset, b"x" * (6 << 20)) for offset in range(4)]
    assert first_lot(Consumer([], large), Search([])) == (3, 3, 0)
    many = [Record(offset, READING) for offset in range(1_001)]
    assert first_lot(Consumer([], many), Search([]))[0] == 1_000
