"""Jobs are submitted to other clusters than the one of the folder they are submitted from."""

import sys
from pathlib import Path

import pytest

from fleetpulse.stack import rest, submit
from fleetpulse.stack.layout import Layout
from fleetpulse.times import iso
from generator.payloads.records import Record
from tests.e2e.support.embedded import EmbeddedStack, free_offset
from tests.e2e.support.jobs import inactivity
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

T0_MS = 1_767_225_600_000


def test_a_folder_without_a_stack_submits_to_another_cluster(stack: EmbeddedStack, tmp_path: Path) -> None:
    job = inactivity(stack)
    value = b'{"device_id":"d1","ts":"%s"}' % iso(T0_MS).encode()
    job.write([Record(T0_MS, b"d1", value, T0_MS)])
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
