from collections import deque

import pytest
from confluent_kafka import KafkaError, KafkaException

from fleetpulse.errors import FleetpulseError
from generator.payloads.records import Record
from generator.sending.interrupt import Stop
from generator.sending.produce import Sender, wait_for_kafka
from generator.sending.stall import StallWatch

AWAY = KafkaException(KafkaError(KafkaError._TRANSPORT))


class FakeClient:
    """As much of a Producer as a Sender uses: a queue of two that a poll empties while the broker is there."""

    def __init__(self):
        self.queue, self.broker, self.there, self.refuses = deque(), [], True, False

    def __len__(self):
        return len(self.queue)

    def produce(self, topic, value, key, timestamp, on_delivery):
        if len(self.queue) == 2:
            raise BufferError
        self.queue.append((key, value, timestamp, on_delivery))

    def poll(self, _seconds):
        while self.there and self.queue:
            *record, on_delivery = self.queue.popleft()
            if self.refuses:
                on_delivery(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), None)
            else:
                self.broker.append(tuple(record))

    flush = poll

    def purge(self):
        while self.queue:
            self.queue.popleft()[3](KafkaError(KafkaError._PURGE_QUEUE), None)


class Sending:
    def __init__(self):
        self.client, self.said, self.progress = FakeClient(), [], []
        self.now_s = 0.0
        self.stop = Stop(lambda: 0.0)
        watch = StallWatch("b:1", self.tick, self.said.append)
        self.sender = Sender(self.client, "t", watch, self.stop, lambda *shown: self.progress.append(shown))

    def tick(self):
        self.now_s += 1
        return self.now_s


def record(n):
    return Record(1_000 + n, b"d1", b"%d" % n, 1_000 + n)


def test_a_full_queue_is_waited_for_and_nothing_is_lost():
    sending = Sending()
    for n in range(10):
        sending.sender.send(record(n))
    sending.sender.finish()

    assert [value for _, value, _ in sending.client.broker] == [b"%d" % n for n in range(10)]
    assert sending.sender.acknowledged == 10


def test_key_and_kafka_timestamp_go_along():
    sending = Sending()
    sending.sender.send(record(5))
    sending.sender.finish()

    assert sending.client.broker == [(b"d1", b"5", 1_005)]


def test_only_what_the_broker_has_counts_as_acknowledged():
    sending = Sending()
    sending.client.there = False
    sending.sender.send(record(0))

    assert sending.sender.acknowledged == 0


def test_a_broker_that_does_not_answer_is_told():
    sending = Sending()
    sending.client.there = False
    sending.sender.send(record(0))
    for _ in range(4):
        sending.sender.serve(0)

    assert sending.said[0].endswith("1 records held")


def test_progress_is_told_with_the_time_reached():
    sending = Sending()
    sending.sender.send(record(7))
    sending.sender.serve(0)

    assert sending.progress == [(1, 1_007)]


def test_insisting_on_a_stop_gives_up_what_is_not_acknowledged_and_says_from_when():
    sending = Sending()
    sending.client.there = False
    sending.sender.send(record(0))
    sending.sender.send(record(1))
    sending.stop.ask()
    sending.stop.ask()
    sending.sender.send(record(2))
    sending.sender.finish()

    assert (sending.sender.acknowledged, sending.sender.failed) == (0, 3)
    assert sending.sender.earliest_failed_ms == 1_000


def test_a_refused_record_is_not_counted_as_sent():
    sending = Sending()
    sending.client.refuses = True
    sending.sender.send(record(0))
    sending.sender.finish()

    assert (sending.sender.acknowledged, sending.sender.failed) == (0, 1)
    assert "too large" in sending.sender.first_failure.lower()


class Answering:
    """Lists topics by turns: raises each of the errors, then answers."""

    def __init__(self, *errors):
        self.errors = list(errors)

    def list_topics(self, timeout):
        if self.errors:
            raise self.errors.pop(0)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)


def watch():
    return StallWatch("b:1", lambda: 0.0, lambda _: None)


def test_a_broker_that_is_away_is_waited_for(impatient):
    client = Answering(AWAY, AWAY)

    assert wait_for_kafka(client, watch(), Stop())
    assert client.errors == []


def test_waiting_ends_when_asked_to_stop(impatient):
    stop = Stop()
    stop.ask()

    assert not wait_for_kafka(Answering(AWAY, AWAY, AWAY), watch(), stop)


def test_a_broker_that_refuses_us_is_not_waited_for(impatient):
    refused = KafkaException(KafkaError(KafkaError._AUTHENTICATION))

    with pytest.raises(FleetpulseError, match="Kafka refuses us"):
        wait_for_kafka(Answering(refused), watch(), Stop())
