"""Records at the far end of what Kafka takes stop nothing, and none is lost."""

import pytest
from confluent_kafka import Producer

from fleetpulse.times import LAST_MS
from generator.payloads.records import Record
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.jobs import ANY_TIME, Inactivity, inactivity
from tests.e2e.support.kafka import header, place
from tests.e2e.support.scenarios import SETTINGS, START_MS, spoken

pytestmark = pytest.mark.e2e

FAR_MS = 1_000 * START_MS  # milliseconds in the year 57971


def write_compressed(job: Inactivity, codec: str, device: str, value: bytes) -> None:
    """Write a record, which only has to fit the topic once it is compressed."""
    settings = {"compression.type": codec, "message.max.bytes": 64 << 20}
    producer = Producer({"bootstrap.servers": job.stack.bootstrap, **settings})
    producer.produce(job.events, value, device.encode(), timestamp=START_MS)
    assert producer.flush(60) == 0


def test_records_are_read_however_they_are_compressed(stack: EmbeddedStack) -> None:
    job = inactivity(stack)
    codecs = ["none", "gzip", "snappy", "lz4", "zstd"]
    for codec in codecs:
        write_compressed(job, codec, codec, b"?" * 1_000)
    job.decide_all(*SETTINGS)
    assert sorted(letter.key().decode() for letter in job.dead_letters().values()) == sorted(codecs)


def test_the_first_16_mib_of_a_larger_value_reach_the_dead_letters(stack: EmbeddedStack) -> None:
    job = inactivity(stack)
    write_compressed(job, "zstd", "d1", b'{"device-id":"d1","x":"' + b"y" * 40_000_000 + b'"}')
    job.decide_all(*SETTINGS)
    [(where, letter)] = job.dead_letters().items()
    [written] = job.written()
    assert where == place(written)
    assert letter.value() == written.value()[: 16 << 20]
    assert (letter.key(), header(letter, "fleetpulse.reason")) == (b"d1", "too_large")


def test_a_record_from_the_far_future_is_rejected_with_the_last_timestamp_there_is(stack: EmbeddedStack) -> None:
    job = inactivity(stack, config=ANY_TIME)
    job.write([Record(0, b"broken", b"?", FAR_MS)])
    job.decide_all(*SETTINGS)
    [letter] = job.dead_letters().values()
    assert letter.timestamp()[1] == LAST_MS


def test_the_far_future_moves_nobodys_time(stack: EmbeddedStack) -> None:
    """Such as microseconds that a producer gave as milliseconds."""
    job = inactivity(stack, partitions=1, config=ANY_TIME)
    far = [Record(0, b"far", b'{"device-id":"far"}', FAR_MS + at_ms) for at_ms in (0, 100_000)]
    job.write([spoken("silent", 0), *far, spoken("other", 0), *(spoken("other", at_s) for at_s in (50, 100))])
    job.decide_all(*SETTINGS)
    assert job.late() == []
    assert {header(letter, "fleetpulse.reason") for letter in job.dead_letters().values()} == {"bad_time"}
    assert "silent" in {alert.device_id for alert in job.alerts()}
