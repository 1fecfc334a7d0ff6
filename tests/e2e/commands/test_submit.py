"""Jobs are submitted to other clusters than the folder's own, and go on from their own checkpoints only."""

import sys
from pathlib import Path
from urllib.parse import urlparse

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.errors import ConfigurationError
from fleetpulse.stack import cli, rest, submit
from fleetpulse.stack.layout import Layout
from fleetpulse.times import iso
from generator.payloads.records import Record
from tests.e2e.support.embedded import EmbeddedStack, free_offset
from tests.e2e.support.jobs import Inactivity, Job, inactivity
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

T0_MS = 1_767_225_600_000


def event(device: str) -> Record:
    value = f'{{"device_id":"{device}","ts":"{iso(T0_MS)}"}}'.encode()
    return Record(T0_MS, device.encode(), value, T0_MS)


def restored_from(job: Job) -> str | None:
    """The folder of the checkpoint that a job has started from."""
    restored = rest.get(job.stack.flink_rest, f"/jobs/{job.id}/checkpoints")["latest"]["restored"]
    return restored["external_path"] if restored else None


def resumed(job: Inactivity) -> Job:
    """The job, started by the command from its newest checkpoint, on `checkpoint.dir` as it is."""
    folder = str(job.stack.layout.checkpoints)
    before = {running.id for running in rest.running_jobs(job.stack.flink_rest)}
    words = ["submit", job.job, "--resume", folder, "--dir", str(job.stack.dir), "--", *job.arguments()]
    assert run(cli.command, words) == 0
    [started] = {running.id for running in rest.running_jobs(job.stack.flink_rest)} - before
    return Job(job.stack, started)


def test_a_folder_without_a_stack_submits_to_another_cluster(stack: EmbeddedStack, tmp_path: Path) -> None:
    job = inactivity(stack)
    job.write([event("d1")])
    elsewhere = Layout(tmp_path, free_offset())
    submitted = submit.submit(
        elsewhere,
        "inactivity",
        [*job.arguments(), "--bounded"],
        flink_rest=stack.flink_rest,
        flink_python=sys.executable,
    )
    wait_until("the job to end", lambda: rest.get(stack.flink_rest, f"/jobs/{submitted}")["state"] == "FINISHED")
    own = rest.get(stack.flink_rest, f"/jobs/{submitted}/config")
    assert str(tmp_path) not in str(own)


def test_a_job_that_is_submitted_twice_is_refused_and_the_first_goes_on(
    stack: EmbeddedStack, capsys: pytest.CaptureFixture[str]
) -> None:
    job = inactivity(stack)
    with job.running() as first:
        words = ["submit", job.job, "--dir", str(stack.dir), "--", *job.arguments()]
        assert run(cli.command, words) == 2
        _broker, line = capsys.readouterr().err.splitlines()
        assert f"--alerts.topic: job {first.id} (fleetpulse inactivity) writes to {job.alerts_topic!r}" in line
        with pytest.raises(ConfigurationError, match=first.id):  # by `flink run` alone
            submit.submit(stack.layout, job.job, job.arguments())
        assert first.state == "RUNNING"


def test_of_two_jobs_of_one_name_each_goes_on_from_its_own_checkpoint_and_neither_is_stopped_for_the_other(
    stack: EmbeddedStack, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = inactivity(stack), inactivity(stack)
    one.write([event("d1")])
    with one.running() as first, other.running() as second:
        first.wait_until_read(1)
        first.wait_until_started()
        assert rest.identity(stack.flink_rest, first.id) == f"inactivity-{one.alerts_topic}"
        rest.cancel(stack.flink_rest, first.id)
        wait_until("the first to end", lambda: first.state == "CANCELED")
        second.wait_until_started()  # the newest checkpoint of all is the other job's
        third = resumed(one)
        third.wait_until_read(1)
        folder = Path(urlparse(restored_from(third) or "").path)
        assert folder.parts[-3:-1] == (f"inactivity-{one.alerts_topic}", first.id)
        assert third.counts()["read"] == 1
        words = ["savepoint", "inactivity", "--stop", "--dir", str(stack.dir)]
        capsys.readouterr()
        assert run(cli.command, words) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert {second.id, third.id} <= {word.strip(",") for word in line.split()}
        assert (second.state, third.state) == ("RUNNING", "RUNNING")
        assert run(cli.command, [*words, "--job.id", third.id]) == 0
        third.wait_until_finished()
        assert second.state == "RUNNING"
