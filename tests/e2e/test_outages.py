"""Time does not stop with the fleet, and an outage of ours accuses nobody."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from generator.records import Record
from tests.e2e.embedded import EmbeddedStack
from tests.e2e.jobs import Inactivity, Job, Revision, inactivity
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

TIMEOUT_MS = 6_000
QUICK = ("--timeout.ms", str(TIMEOUT_MS), "--evaluation.period.ms", "2000", "--reconnect.grace.ms", "8000")
DEVICES = 20


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def spoken(device: str) -> Record:
    """A record of this moment."""
    at_ms = now_ms()
    value = f'{{"event-id":"e","device-id":"{device}","time":{at_ms}}}'.encode()
    return Record(at_ms, device.encode(), value, at_ms)


@contextmanager
def speaking_fleet(job: Inactivity) -> Iterator[None]:
    """Devices that speak twice a second, without a fault, until the end of the block."""
    fleet = ("--num.devices", str(DEVICES), "--event.interval.ms", "500", "--duration.seconds", "600")
    where = ("--kafka.bootstrap.servers", job.stack.bootstrap, "--topic", job.events, "--failure.probability", "0")
    generator = subprocess.Popen([Path(sys.executable).with_name("fleetpulse"), "generate", *where, *fleet])
    try:
        yield
    finally:
        generator.terminate()
        generator.wait(60)


def more_records(job: Job, records: int) -> None:
    """Wait until so many records more have been read."""
    job.wait_until_read(job.counts()["read"] + records)


def test_a_silent_fleet_raises_an_alert_for_each_of_its_devices(stack: EmbeddedStack) -> None:
    job = inactivity(stack)
    job.write(spoken(f"d{i}") for i in range(DEVICES))
    with job.running(*QUICK, "--idle.timeout.ms", "3000"):
        wait_until("an alert for each device", lambda: len(job.alerts()) >= DEVICES, 120)
    assert {r.device_id for r in job.alerts()} == {f"d{i}" for i in range(DEVICES)}


def test_a_dead_broker_accuses_nobody(stack: EmbeddedStack) -> None:
    job = inactivity(stack)
    with job.running(*QUICK) as running:
        with speaking_fleet(job):
            more_records(running, 200)
            stack.kill("kafka")
            more_records(running, 40 * DEVICES)  # longer than the timeout and the grace
            spoke_ms = now_ms()
            running.wait_until_decided(spoke_ms)
        assert early(job.alerts(), spoke_ms) == []
        wait_until("alerts after the fleet has stopped", lambda: len(job.alerts()) >= DEVICES, 120)


def test_telemetry_that_is_away_for_20_seconds_while_time_goes_on_accuses_nobody(stack: EmbeddedStack) -> None:
    job = inactivity(stack, partitions=1)
    with job.running(*QUICK) as running:
        job.write([spoken("clock")])
        running.wait_until_read(1)
        job.write(spoken(f"d{i}") for i in range(DEVICES))
        held: list[Record] = []
        until_ms = now_ms() + 20_000

        def time_has_passed() -> bool:
            held.extend(spoken(f"d{i}") for i in range(DEVICES))
            return now_ms() >= until_ms

        wait_until("20 s to pass", time_has_passed, 60)
        job.write(held)
        job.write([spoken("clock")])
        running.wait_until_read(1 + DEVICES + len(held) + 1)
        wait_until("time to go on", lambda: running.watermark_ms() >= until_ms, 120)
        assert [alert for alert in early(job.alerts(), until_ms) if alert.device_id != "clock"] == []
        assert running.counts()["late"] == 0


def test_a_job_that_was_away_accuses_only_the_dead_and_repeats_nothing(stack: EmbeddedStack) -> None:
    job = inactivity(stack)
    with speaking_fleet(job):
        with job.running(*QUICK, "--parallelism", "2") as first:
            job.write([spoken("dead before")])
            wait_until("the alert of the first", lambda: len(job.alerts()) == 1, 120)
            job.write([spoken("dead meanwhile")])
            more_records(first, 10)
            savepoint = first.savepoint(stop=True)
            first.wait_until_finished()
        away_until_ms = now_ms() + 2 * TIMEOUT_MS
        wait_until("the job to have been away", lambda: now_ms() >= away_until_ms)
        with job.running(*QUICK, "--parallelism", "3", restore=savepoint):
            wait_until("the alert of the second", lambda: len(job.alerts()) == 2, 120)
            alerts = job.alerts()
    assert [(r.device_id, r.state) for r in alerts] == [("dead before", "open"), ("dead meanwhile", "open")]


def early(alerts: list[Revision], spoke_ms: int) -> list[Revision]:
    """Alerts of the time when the fleet still spoke."""
    return [alert for alert in alerts if alert.opened_at.timestamp() * 1000 <= spoke_ms]
