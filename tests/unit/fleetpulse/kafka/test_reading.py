"""Reading topics: what a broker does wrong becomes one line."""

from typing import ClassVar

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

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


class Record:
    """A record of a fake partition."""

    def __init__(self, partition: int, offset: int) -> None:
        self._at = (partition, offset)

    def error(self) -> None:
        return None

    def offset(self) -> int:
        return self._at[1]

    def timestamp(self) -> tuple[int, int]:
        return 1, self._at[1] * 10 + self._at[0]

    def value(self) -> bytes:
        return b"%d:%d" % self._at


class Topic:
    """A consumer of a topic whose partitions hold these offsets."""

    bounds: ClassVar = {0: (2, 9), 1: (0, 2), 2: (0, 0)}

    def __init__(self, _settings: dict[str, object]) -> None:
        self._next: TopicPartition | None = None

    def get_watermark_offsets(self, partition: TopicPartition, timeout: float) -> tuple[int, int]:
        return self.bounds[partition.partition]

    def assign(self, partitions: list[TopicPartition]) -> None:
        [self._next] = partitions

    def poll(self, _timeout: float) -> Record:
        assert self._next is not None
        self._next.offset += 1
        return Record(self._next.partition, self._next.offset - 1)

    def close(self) -> None:
        pass


def test_the_last_records_come_from_the_ends_of_all_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "Consumer", Topic)
    monkeypatch.setattr(reading, "partitions_of", lambda *_: [0, 1, 2])
    found = [message.value() for message in reading.last_records("localhost:1", "events", 7)]
    assert found == [b"1:0", b"1:1", b"0:6", b"0:7", b"0:8"]
