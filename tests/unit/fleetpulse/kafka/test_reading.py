"""Reading topics: what a broker does wrong becomes one line."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka import reading


class Away:
    """A consumer whose broker goes away after it has named the partitions."""

    def __init__(self, _settings: dict[str, object]) -> None:
        self.closed = False

    def get_watermark_offsets(self, partition: object, timeout: float) -> tuple[int, int]:
        raise KafkaException(KafkaError(KafkaError._TRANSPORT))

    def close(self) -> None:
        self.closed = True


def test_a_broker_that_goes_away_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "Consumer", Away)
    monkeypatch.setattr(reading, "partitions_of", lambda *_: [0])
    with pytest.raises(FleetpulseError, match="topic events cannot be read: "):
        list(reading.read_to_end("localhost:1", "events", "group"))
