"""A topic gets more partitions while its fleet speaks: nobody is accused, and nothing is missed."""

import time

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.jobs import Inactivity, inactivity
from tests.e2e.support.kafka import header, producer
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

TIMEOUT_MS = 20_000
SETTINGS = ("--timeout.ms", str(TIMEOUT_MS), "--evaluation.period.ms", "1000", "--idle.timeout.ms", "3000")
DEVICES = [f"d{number}" for number in range(24)]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def speak(job: Inactivity, partitions: range) -> int:
    """Let each device speak once, in one of these partitions; returns how many records that were."""
    sender = producer(job.stack.bootstrap)
    for number, device in enumerate(DEVICES):
        at_ms = now_ms()
        value = f'{{"event-id":"e","device-id":"{device}","time":{at_ms}}}'.encode()
        partition = partitions[number % len(partitions)]
        sender.produce(job.events, value, device.encode(), partition, timestamp=at_ms)
    sender.flush()
    return len(DEVICES)


def test_a_fleet_that_moves_to_new_partitions_is_not_taken_for_silent(stack: EmbeddedStack) -> None:
    job = inactivity(stack, partitions=1)
    with job.running(*SETTINGS) as running:
        sent = speak(job, range(1))
        running.wait_until_read(sent)
        admin = AdminClient({"bootstrap.servers": stack.bootstrap})
        admin.create_partitions([NewPartitions(job.events, 4)])[job.events].result(60)
        moved_ms = now_ms()
        until_ms = moved_ms + 3 * TIMEOUT_MS

        def has_spoken_on() -> bool:
            nonlocal sent
            sent += speak(job, range(4))  # who stays in the old partition takes time on
            return now_ms() >= until_ms

        wait_until("three quarters of the fleet to have spoken on the new partitions alone", has_spoken_on)
        running.wait_until_read(sent)
        running.wait_until_decided(until_ms)
        running.savepoint()
        counts = running.counts()
        assert counts["read"] == sent
        late = job.late()
        late_by_ms = [int(header(message, "fleetpulse.late_by_ms")) for message in late]
        print(f"late: {counts['late']} of {sent}, by {max(late_by_ms, default=0)} ms at most")
        assert {message.partition() for message in job.written()} == {0, 1, 2, 3}
        # Only what was written before the new partitions were found may be late.
        assert [m for m in late if m.timestamp()[1] > until_ms - TIMEOUT_MS] == []
        assert job.alerts() == []
