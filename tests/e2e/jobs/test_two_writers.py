"""A second job that reaches the topics of the first, past the check at its submission: the newer one has them alone."""

import time
from collections import Counter

import pytest

from fleetpulse.stack import rest, submit
from generator.payloads.records import Record
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.jobs import Inactivity, Job, inactivity
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

QUICK = ("--timeout.ms", "6000", "--evaluation.period.ms", "2000", "--idle.timeout.ms", "3000")


def speak(job: Inactivity, *devices: str) -> None:
    at_ms = time.time_ns() // 1_000_000
    values = {device: f'{{"event-id":"e","device-id":"{device}","time":{at_ms}}}'.encode() for device in devices}
    job.write([Record(at_ms, device.encode(), value, at_ms) for device, value in values.items()])


def test_the_newer_job_fences_the_older_one_for_good_and_nothing_stands_twice(stack: EmbeddedStack) -> None:
    job = inactivity(stack)
    as_if_elsewhere = ("--kafka.bootstrap.servers", f"127.1:{stack.layout.ports['kafka']}")  # no address in common
    devices = [f"d{number}" for number in range(50)]
    with job.running(*QUICK) as first:
        speak(job, *devices)
        first.wait_until_read(len(devices))
        savepoint = first.savepoint()
        given = [*job.arguments(), *QUICK, *as_if_elsewhere]
        second = Job(stack, submit.submit(stack.layout, job.job, given, savepoint))
        try:
            second.wait_until_started()
            line = f"writes to topic '{job.alerts_topic}'"
            wait_until("the first to be fenced", lambda: line in rest.exception(stack.flink_rest, first.id))
            before = len(job.alerts())
            speak(job, *devices)
            wait_until("alerts", lambda: len({a.device_id for a in job.alerts()[before:] if a.state == "open"}) == 50)
            second.savepoint()  # and with it what has been decided so far
            counts = Counter((alert.alert_id, alert.revision) for alert in job.alerts()[before:])
            assert [revision for revision, times in counts.items() if times > 1] == []
            assert second.state == "RUNNING"
            assert rest.exception(stack.flink_rest, second.id) == ""
        finally:
            rest.cancel(stack.flink_rest, second.id)
