"""What comes in, however broken, is accounted for."""

import pytest
from confluent_kafka import Message

from fleetpulse.frames.order import PartitionOrder
from fleetpulse.records.batch import decode_batch
from generator.payloads.records import Record
from tests.bad_records import CASES, KAFKA_TIME_MS
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.jobs import inactivity
from tests.e2e.support.kafka import header, origin, place, producer, same_record
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e


def record(value: bytes | None, key: str) -> Record:
    return Record(KAFKA_TIME_MS, key.encode(), value, KAFKA_TIME_MS)


def out_of_order(written: list[Message]) -> int:
    """How many of these records came after a later one of their partition."""
    times_ms = decode_batch(
        [message.value() for message in written], [KAFKA_TIME_MS] * len(written), 60_000
    ).event_times_ms
    order = PartitionOrder(0)
    order.belated([message.partition() for message in written], [min(time_ms, KAFKA_TIME_MS) for time_ms in times_ms])
    return order.out_of_order


def good(name: str) -> Record:
    return record(f'{{"device-id":"good","time":{KAFKA_TIME_MS}}}'.encode(), f"good after {name}")


def test_every_kind_of_bad_record_is_accounted_for_and_the_job_keeps_running(stack: EmbeddedStack) -> None:
    job = inactivity(stack)
    job.write(written for name, (value, _) in CASES.items() for written in (record(value, name), good(name)))
    reasons = {name.encode(): reason for name, (_, reason) in CASES.items() if reason}
    with job.running() as running:
        running.wait_until_read(2 * len(CASES))
        wait_until("all that is rejected", lambda: len(job.dead_letters()) >= len(reasons))
        counts = running.counts()
        assert running.state == "RUNNING"
        written = job.written()
        assert out_of_order(written) > 0
        wait_until("those out of order", lambda: running.counts()["out_of_order"] == out_of_order(written))
    originals = {place(message): message for message in written}
    letters = job.dead_letters()
    assert {letter.key(): header(letter, "fleetpulse.reason") for letter in letters.values()} == reasons
    assert all(same_record(letter, originals[origin(letter)]) for letter in letters.values())
    assert {header(letter, "__connect.errors.topic") for letter in letters.values()} == {job.events}
    assert counts["read"] == counts["on_time"] + counts["late"] + counts["rejected"] == len(originals)
    assert counts["rejected"] == len(letters)
    assert counts["late"] == len(job.late())


@pytest.mark.parametrize("rubbish", [b"rubbish", b'{"device_id":"d2","ts":"soon"}'])
def test_a_partition_of_rubbish_does_not_stop_time(stack: EmbeddedStack, rubbish: bytes) -> None:
    job = inactivity(stack, partitions=2)
    sending = producer(stack.bootstrap)
    sending.produce(job.events, b'{"device_id":"silent","ts":%d}' % KAFKA_TIME_MS, partition=0, timestamp=KAFKA_TIME_MS)
    for at_ms in range(KAFKA_TIME_MS, KAFKA_TIME_MS + 300_000, 1_000):
        sending.produce(job.events, b'{"device_id":"d1","ts":%d}' % at_ms, partition=0, timestamp=at_ms)
        sending.produce(job.events, rubbish, partition=1, timestamp=at_ms)
    assert sending.flush(60) == 0
    job.decide_all("--batch.size", "20")
    assert [(alert.device_id, alert.state) for alert in job.alerts()] == [("silent", "open")]
