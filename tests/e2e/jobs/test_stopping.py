"""What a job decides when it is drained or its telemetry ends: the unit tests of the shard have all cases."""

from collections import Counter

import pytest

from generator.payloads.records import Record
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.jobs import inactivity
from tests.e2e.support.scenarios import spoken
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

DEVICES = 200


def backlog() -> list[Record]:
    """A fleet that has ended long ago, before any of it had been silent."""
    return [spoken(f"d{device}", second) for second in range(0, 50, 10) for device in range(DEVICES)]


def test_a_drained_backlog_whose_devices_had_ended_accuses_nobody(stack: EmbeddedStack) -> None:
    job, records = inactivity(stack), backlog()
    job.write(records)
    with job.running("--idle.timeout.ms", "600000") as running:  # or its partitions would be left out, as they should
        running.wait_until_read(len(records))
        running.drain()
        running.wait_until_finished()
    assert job.alerts() == []
    assert job.late() == []


def test_a_fleet_that_has_ended_is_silent_once_its_partitions_are_idle(stack: EmbeddedStack) -> None:
    job, records = inactivity(stack), backlog()
    job.write(records)
    with job.running("--idle.timeout.ms", "2000") as running:
        running.wait_until_read(len(records))
        wait_until("an alert for each device", lambda: len(job.alerts()) >= DEVICES)
        running.drain()
        running.wait_until_finished()
    states = Counter(alert.state for alert in job.alerts())
    assert states == {"open": DEVICES, "expired": DEVICES}  # it has ended for longer than devices are remembered
