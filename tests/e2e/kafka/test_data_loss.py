"""Retention takes what a stopped job has not read: it says how much, and accuses nobody of silence because of it."""

import re
import time
from contextlib import closing

import pytest
from confluent_kafka import OFFSET_END, Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from fleetpulse.stack import rest
from fleetpulse.stack.processes import supervision
from generator.payloads.records import Record
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.jobs import Inactivity, Job, inactivity
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

TIMEOUT_MS = 6_000
QUICK = ("--timeout.ms", str(TIMEOUT_MS), "--evaluation.period.ms", "2000", "--reconnect.grace.ms", "4000")
DEVICES = [f"d{number}" for number in range(30)]
LOST = 300
_LOST = re.compile(r"partition_fleetpulse_records_lost\{(?P<labels>.*)\} (?P<value>\S+)")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def speak(job: Inactivity, rounds: int = 1) -> int:
    """Let each device speak now, so many times; returns how many records that were."""
    at_ms = now_ms()
    values = [(device, f'{{"event-id":"e","device-id":"{device}","time":{at_ms}}}') for device in DEVICES * rounds]
    job.write(Record(at_ms, device.encode(), value.encode(), at_ms) for device, value in values)
    return len(values)


def label(job: Inactivity) -> str:
    """The job's one partition, as Flink's reporter writes it."""
    return re.sub(r"[^\w:]", "_", f"{job.events}:0")


def lost(job: Job) -> dict[str, int]:
    """How many records the job shows as lost, by partition."""
    shown = [found for found in _LOST.finditer(job.stack.metrics()) if f'job_id="{job.id}"' in found["labels"]]
    by_partition = [(re.findall(r'partition="([^"]*)"', found["labels"])[0], found["value"]) for found in shown]
    return {partition: int(float(value)) for partition, value in by_partition if float(value)}


def left_off(job: Inactivity) -> int:
    """Where the job's consumer group says that it left off."""
    settings = {"bootstrap.servers": job.stack.bootstrap, "group.id": f"fleetpulse-inactivity-{job.alerts_topic}"}
    with closing(Consumer(settings)) as consumer:
        [found] = consumer.committed([TopicPartition(job.events, 0)], 60)
        return int(found.offset)


def delete_all(job: Inactivity) -> None:
    """Delete every record of the topic, as retention does."""
    admin = AdminClient({"bootstrap.servers": job.stack.bootstrap})
    [deleted] = admin.delete_records([TopicPartition(job.events, 0, OFFSET_END)]).values()
    assert deleted.result(60).low_watermark >= LOST


def stopped_and_robbed(job: Inactivity) -> str:
    """Let the job read, stop it, and delete records that it has not read; returns the savepoint."""
    with job.running(*QUICK) as first:
        first.wait_until_read(speak(job))
        wait_until("a checkpoint to commit what was read", lambda: left_off(job) == len(DEVICES))
        savepoint = first.savepoint(stop=True)
        first.wait_until_finished()
    speak(job, rounds=LOST // len(DEVICES))
    back_ms = now_ms() + 3 * TIMEOUT_MS
    wait_until("the fleet to have been silent for longer than it may", lambda: now_ms() >= back_ms)
    delete_all(job)
    return savepoint


def log_of(stack: EmbeddedStack) -> str:
    return supervision.log_file(stack.layout, "taskmanager").read_text(errors="replace")


def test_lost_records_are_counted_by_partition_and_accuse_only_who_stays_silent(stack: EmbeddedStack) -> None:
    job = inactivity(stack, partitions=1)
    savepoint = stopped_and_robbed(job)
    with job.running(*QUICK, restore=savepoint) as second:
        told_ms = now_ms()
        until_ms = told_ms + 3 * TIMEOUT_MS

        def has_spoken_on() -> bool:
            speak(job)
            return now_ms() >= until_ms

        wait_until("the fleet to have spoken on", has_spoken_on)
        wait_until("the lost records to be counted", lambda: lost(second) == {label(job): LOST})
        job.wait_until_all_decided(second, until_ms)
        assert [
            alert
            for alert in job.alerts()
            if alert.device_id in DEVICES and alert.opened_at.timestamp() * 1000 <= until_ms
        ] == []
        wait_until("alerts after the fleet has stopped", lambda: {a.device_id for a in job.alerts()} >= set(DEVICES))
        counts = second.counts()
        assert counts["read"] == counts["on_time"] + counts["late"] + counts["rejected"]
    assert f"{LOST} records of {job.events}:0 were deleted before they were read" in log_of(stack)


def test_a_job_that_is_to_stop_fails_and_says_what_is_lost(stack: EmbeddedStack) -> None:
    job = inactivity(stack, partitions=1)
    savepoint = stopped_and_robbed(job)
    speak(job)
    said = f"{LOST} records of {job.events}:0 were deleted before they were read"
    with job.running(*QUICK, "--on.data.loss", "stop", restore=savepoint) as second:
        exceptions = f"/jobs/{second.id}/exceptions"
        wait_until("the reason", lambda: said in str(rest.get(stack.flink_rest, exceptions)))
        assert second.counts()["read"] <= len(DEVICES)
