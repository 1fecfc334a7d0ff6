"""Errors of reading topics are one plain line."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka.reading import partitions_of


class Away:
    def list_topics(self, *_: object, **__: object) -> None:
        raise KafkaException(KafkaError(KafkaError._TRANSPORT, "Failed to get metadata"))


def test_a_broker_that_does_not_answer_is_one_plain_line() -> None:
    with pytest.raises(FleetpulseError) as failed:
        partitions_of(Away(), "localhost:1", "events")
    assert str(failed.value) == "no broker answers at localhost:1: Failed to get metadata"
