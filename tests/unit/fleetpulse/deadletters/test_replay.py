"""Letters are put back as they were read."""

import pytest

from fleetpulse.deadletters import replay
from fleetpulse.deadletters.letter import Letter, Outcome, Position


class Written:
    """A transactional producer that keeps what it is given."""

    def __init__(self) -> None:
        self.timestamps: list[int | None] = []

    def produce(self, topic, value, key, timestamp=None, headers=None, on_delivery=None) -> None:
        if on_delivery is None:
            return
        self.timestamps.append(timestamp)
        on_delivery(None, Delivered(topic))

    def begin_transaction(self) -> None: ...

    def commit_transaction(self, timeout_s: float) -> None: ...

    def flush(self, timeout_s: float) -> None: ...


class Delivered:
    """A message as the broker has acknowledged it."""

    def __init__(self, topic: str) -> None:
        self.topic, self.partition, self.offset = (lambda: topic), (lambda: 0), (lambda: 7)


@pytest.mark.parametrize(("kafka_time_ms", "written_ms"), [(1_767_225_600_000, 1_767_225_600_000), (1, 1), (0, 1)])
def test_a_replay_never_gets_the_present_time(monkeypatch, kafka_time_ms, written_ms):
    producer = Written()
    monkeypatch.setattr(replay, "exclusive_producer", lambda *_: producer)
    letter = Letter(Position("dlq", 0, 0), Position("raw", 0, 0), "malformed", None, kafka_time_ms, b"d", b"{")
    task = replay.Task(letter, next(iter(Outcome)), 1, "raw", b"{")
    assert list(replay.replay("localhost:1", "dlq", "ledger", lambda: [task], 0)) == [task]
    assert producer.timestamps == [written_ms]
