"""Time does not stop with the fleet, and an outage of ours accuses nobody."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from generator.payloads.records import Record
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.fleets import simulate, told_by
from tests.e2e.support.jobs import Inactivity, Job, Revision, inactivity, moment
from tests.e2e.support.kafka import messages
from tests.e2e.support.lifecycles import check_lifecycles, open_at
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

TIMEOUT_MS = 6_000
QUICK = ("--timeout.ms", str(TIMEOUT_MS), "--evaluation.period.ms", "2000", "--reconnect.grace.ms", "8000")
DEVICES = 20
OUTAGE_MS = 20_000  # longer than the timeout and the grace, and than the gap between ticks that marks an outage


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
    generator = simulate(job, *fleet, "--failure.probability", "0")
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
        wait_until("an alert for each device", lambda: len(job.alerts()) >= DEVICES)
    assert {r.device_id for r in job.alerts()} == {f"d{i}" for i in range(DEVICES)}


def test_a_broker_that_was_away_accuses_only_a_device_that_died_meanwhile(stack: EmbeddedStack) -> None:
    job = inactivity(stack)
    fleet = {f"device-{number:05d}" for number in range(DEVICES)}
    # Partitions count as idle before the broker is back, so that ticks alone move time.
    with job.running(*QUICK, "--idle.timeout.ms", "3000") as running:
        with speaking_fleet(job):
            more_records(running, 200)
            with stack.stopped("kafka"):
                back_ms = now_ms() + OUTAGE_MS
                job.give([spoken("dead")])
                wait_until("the broker to have been away", lambda: now_ms() >= back_ms)
            wait_until("the alert of the dead", job.alerts)
            spoke_ms = now_ms()
            job.wait_until_all_decided(running, spoke_ms)
        assert [(r.device_id, r.state) for r in early(job.alerts(), spoke_ms)] == [("dead", "open")]
        wait_until("alerts after the fleet has stopped", lambda: fleet <= {r.device_id for r in job.alerts()})
    assert longest_gap_ms(job) >= OUTAGE_MS


def test_telemetry_that_is_away_for_20_seconds_while_time_goes_on_accuses_nobody(stack: EmbeddedStack) -> None:
    job = inactivity(stack, partitions=1)
    with job.running(*QUICK, "--idle.timeout.ms", "40000") as running:
        job.write([spoken("clock")])
        running.wait_until_read(1)
        job.write(spoken(f"d{i}") for i in range(DEVICES))
        held: list[Record] = []
        until_ms = now_ms() + 20_000

        def time_has_passed() -> bool:
            held.extend(spoken(f"d{i}") for i in range(DEVICES))
            return now_ms() >= until_ms

        wait_until("20 s to pass", time_has_passed)
        job.write(held)
        job.write([spoken("clock")])
        running.wait_until_read(1 + DEVICES + len(held) + 1)
        wait_until("time to go on", lambda: running.watermark_ms() >= until_ms)
        assert [alert for alert in early(job.alerts(), until_ms) if alert.device_id != "clock"] == []
        assert running.counts()["late"] == 0


def test_a_job_that_was_away_and_comes_back_with_another_parallelism_misses_and_repeats_nothing(
    stack: EmbeddedStack, tmp_path: Path
) -> None:
    job, truth = inactivity(stack), tmp_path / "truth.jsonl"
    watched = ("--timeout.seconds", str(TIMEOUT_MS // 1000), "--evaluation-period.seconds", "2")
    fleet = ("--num.devices", "300", "--event.interval.ms", "1000", "--duration.seconds", "60", "--seed", "1")
    with job.running(*QUICK, "--parallelism", "2") as first:
        first.wait_until_started()
        generator = simulate(job, *fleet, *watched, "--failure.probability", "0.5", "--truth", str(truth))
        wait_until("some alerts", lambda: len(job.alerts()) >= 20)
        savepoint = first.savepoint(stop=True)
        first.wait_until_finished()
    left_ms = now_ms()
    back_ms = left_ms + 2 * TIMEOUT_MS
    wait_until("the job to have been away", lambda: now_ms() >= back_ms)
    with job.running(*QUICK, "--parallelism", "3", "--idle.timeout.ms", "10000", restore=savepoint) as second:
        assert generator.wait(180) == 0
        told = told_by(truth)
        job.wait_until_all_decided(second, told.until_ms)
    alerts = job.alerts()
    assert told.comparable(alerts) == told.expected
    check_lifecycles(alerts)
    left, back = moment(left_ms), moment(back_ms)
    assert open_at(alerts, left), "no alert was open while the job was away"
    assert any(left < alert.opened_at < back for alert in alerts), "no device died while the job was away"


def early(alerts: list[Revision], spoke_ms: int) -> list[Revision]:
    """Alerts of the time when the fleet still spoke."""
    return [alert for alert in alerts if alert.opened_at.timestamp() * 1000 <= spoke_ms]


def longest_gap_ms(job: Inactivity) -> int:
    """The longest time between two ticks, by the broker's clock."""
    times_ms = [tick.timestamp()[1] for tick in messages(job.stack.bootstrap, job.ticks_topic)]
    return max(later - earlier for earlier, later in pairwise(times_ms))
