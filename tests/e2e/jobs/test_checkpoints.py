"""Checkpoints that cannot be written: the job goes on, says so, and commits once they can be written again."""

import time
from pathlib import Path

import pytest

from fleetpulse.stack import rest
from generator.payloads.records import Record
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.jobs import Inactivity, Job, inactivity
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

QUICK = ("--timeout.ms", "6000", "--evaluation.period.ms", "2000")


def speak(job: Inactivity, device: str) -> None:
    at_ms = time.time_ns() // 1_000_000
    value = f'{{"event-id":"e","device-id":"{device}","time":{at_ms}}}'
    job.write([Record(at_ms, device.encode(), value.encode(), at_ms)])


def checkpoints(job: Job) -> dict[str, int]:
    """How many checkpoints have completed and failed."""
    counts: dict[str, int] = rest.get(job.stack.flink_rest, f"/jobs/{job.id}/checkpoints")["counts"]
    return counts


def has_restarted(job: Job) -> bool:
    """Whether it has ever started again."""
    return bool(rest.get(job.stack.flink_rest, f"/jobs/{job.id}")["timestamps"]["RESTARTING"])


def folder_of(job: Job) -> Path:
    """Where its checkpoints are."""
    [folder] = job.stack.layout.checkpoints.glob(f"*/{job.id}")
    return folder


def test_a_job_whose_checkpoints_cannot_be_written_goes_on_and_commits_once_they_can(stack: EmbeddedStack) -> None:
    job = inactivity(stack)
    seldom = ("--checkpoint.interval.ms", "5000")  # so that the next ones do not fail too while the test looks on
    with job.running(*QUICK, "--idle.timeout.ms", "3000", *seldom) as running:
        speak(job, "d1")
        running.wait_until_read(1)
        running.wait_until_started()
        folder = folder_of(running)
        failed = checkpoints(running)["failed"]
        aside = folder.rename(folder.with_name("aside"))
        folder.write_text("no folder: nothing can be written below it, as on a disk that is full")
        wait_until("checkpoints to fail", lambda: checkpoints(running)["failed"] >= failed + 2)
        folder.unlink()
        aside.rename(folder)
        completed = checkpoints(running)["completed"]
        assert (running.state, has_restarted(running)) == ("RUNNING", False)
        wait_until("a checkpoint", lambda: checkpoints(running)["completed"] > completed)
        wait_until("the alert", job.alerts)
        assert (running.state, has_restarted(running)) == ("RUNNING", False)
