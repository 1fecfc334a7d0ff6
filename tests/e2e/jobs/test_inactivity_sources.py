"""Where records are, and what Kafka knows of them, changes no alert."""

import pytest
from kafka import KafkaProducer

from fleetpulse import topics
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.topics import Topic
from generator.payloads.records import Record
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.jobs import ANY_TIME, Inactivity, inactivity, lasting, moment
from tests.e2e.support.kafka import header, messages, origin, place, same_record
from tests.e2e.support.scenarios import SETTINGS, START_MS, decided, fleet, simulated, spoken

pytestmark = pytest.mark.e2e

FAR_MS = 1_000 * START_MS  # milliseconds in the year 57971


def test_several_topics_are_read_as_one(stack: EmbeddedStack) -> None:
    scenario = fleet(40, 1_000, 120_000, duplicate_rate=0.02, malformed_rate=0.02)
    sent, expected = simulated(scenario)
    job = inactivity(stack)
    sources = (job.events, f"{job.events}.more")
    ensure_topics(stack.bootstrap, [lasting(Topic(sources[1], 2, topics.EVENTS.config))])
    for turn, source in enumerate(sources):
        job.write(sent[turn::2], source)
    job.decide_all(*SETTINGS, "--events.topic", ";".join(sources))
    assert decided(job, scenario) == sorted(expected)
    assert job.late() == []
    written = {(source, *place(m)): m for source in sources for m in messages(stack.bootstrap, source)}
    letters = messages(stack.bootstrap, job.dead_letter_topic)
    letters_from = [(header(letter, "__connect.errors.topic"), *origin(letter)) for letter in letters]
    assert len(set(letters_from)) == len(letters)
    assert {source for source, *_ in letters_from} == set(sources)
    assert all(same_record(letter, written[place]) for letter, place in zip(letters, letters_from, strict=True))


def test_records_without_keys_count_for_the_device_in_their_value(stack: EmbeddedStack) -> None:
    scenario = fleet(40, 1_000, 120_000, duplicate_rate=0.02, malformed_rate=0.02)
    sent, expected = simulated(scenario)
    job = inactivity(stack)
    job.write(record._replace(key=None) for record in sent)
    job.decide_all(*SETTINGS)
    assert decided(job, scenario) == sorted(expected)
    assert job.late() == []
    written = {place(message): message for message in job.written()}
    letters = job.dead_letters()
    assert letters
    assert all(same_record(letter, written[where]) for where, letter in letters.items())


def write_at_any_time(job: Inactivity, records: list[Record]) -> None:
    """Write records of which some have the timestamp 0, which librdkafka takes for none."""
    producer = KafkaProducer(bootstrap_servers=job.stack.bootstrap)
    for record in records:
        producer.send(job.events, record.value, record.key, timestamp_ms=record.timestamp_ms)
    producer.close()


def stamped(record: Record, timestamp_ms: int) -> Record:
    """The record with another Kafka timestamp."""
    return record._replace(timestamp_ms=timestamp_ms)


def test_kafka_timestamps_of_1970_and_of_the_far_future_do_not_stop_the_job(stack: EmbeddedStack) -> None:
    job = inactivity(stack, partitions=1, config=ANY_TIME)
    rejected = [stamped(spoken("1970", 1), 0), stamped(spoken("far", 1), FAR_MS), Record(0, b"broken", b"?", FAR_MS)]
    odd = [Record(0, b"timeless", b'{"device-id":"timeless"}', 0), *rejected]
    write_at_any_time(job, [spoken("silent", 0), *odd, *(spoken("clock", s) for s in range(101))])
    job.decide_all(*SETTINGS)
    written = {place(message): message for message in job.written()}
    letters = job.dead_letters()
    assert {letter.key() for letter in letters.values()} == {b"1970", b"far", b"broken"}
    assert all((m.key(), m.value()) == (written[where].key(), written[where].value()) for where, m in letters.items())
    alerts = {(alert.device_id, alert.opened_at) for alert in job.alerts()}
    assert {(device, at) for device, at in alerts if device in ("silent", "far", "clock")} == {
        ("silent", moment(START_MS + 30_000))
    }
