"""Records at the far end of what Kafka takes stop nothing, and none is lost."""

import pytest
from confluent_kafka import Producer

from generator.records import Record
from tests.e2e.embedded import EmbeddedStack
from tests.e2e.jobs import ANY_TIME, Inactivity, inactivity, place, same_record
from tests.e2e.scenarios import SETTINGS, START_MS, spoken

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


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_a_value_of_40_mb_that_compresses_well_reaches_the_dead_letters(stack: EmbeddedStack, codec: str) -> None:
    job = inactivity(stack)
    write_compressed(job, codec, "d1", b'{"device-id":"d1","x":"' + b"y" * 40_000_000 + b'"}')
    job.decide_all(*SETTINGS)
    [(where, letter)] = job.dead_letters().items()
    [written] = job.written()
    assert where == place(written)
    assert same_record(letter, written)


def test_a_rejected_record_keeps_a_kafka_timestamp_in_the_far_future(stack: EmbeddedStack) -> None:
    job = inactivity(stack, config=ANY_TIME)
    job.write([Record(0, b"broken", b"?", FAR_MS)])
    job.decide_all(*SETTINGS)
    [written] = job.written()
    assert [letter.timestamp() for letter in job.dead_letters().values()] == [written.timestamp()]


def test_silence_in_the_far_future_does_not_stop_the_job(stack: EmbeddedStack) -> None:
    """Records without a time have their Kafka timestamp; the year 57971 has no ISO 8601 form in Python."""
    job = inactivity(stack, partitions=1, config=ANY_TIME)
    timeless = [Record(0, b"far", b'{"device-id":"far"}', FAR_MS + at_ms) for at_ms in (0, 100_000)]
    other = Record(0, b"other", b'{"device-id":"other"}', FAR_MS)
    job.write([spoken("silent", 0), other, *timeless])
    job.decide_all(*SETTINGS)
    assert "silent" in {alert.device_id for alert in job.alerts()}
