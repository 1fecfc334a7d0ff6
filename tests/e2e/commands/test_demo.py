"""`fleetpulse demo`, as CI runs it."""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from fleetpulse.kafka.topics import topic_names
from fleetpulse.stack import lifecycle, rest
from fleetpulse.stack.demo.topics import demos
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.processes import supervision
from tests.e2e.support.embedded import EmbeddedStack, free_offset
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

FLEETPULSE = Path(sys.executable).parent / "fleetpulse"


@contextmanager
def killed_in_the_end(stack: Layout, output: Path) -> Iterator[None]:
    """A demo that is killed at the end of the block, so that it leaves all that it has started."""
    with output.open("w") as file:
        demo = subprocess.Popen([FLEETPULSE, "demo", "--dir", stack.root], stdout=file, stderr=file)
    try:
        yield
        assert demo.poll() is None, output.read_text()
    finally:
        demo.kill()
        demo.wait()


def test_a_demo_shows_alerts_and_what_is_down_and_closes_its_alerts_and_those_of_one_that_was_killed(
    tmp_path: Path,
) -> None:
    stack = Layout(tmp_path / "demo", free_offset())
    stack.save()
    output = tmp_path / "output"
    with killed_in_the_end(stack, output):
        wait_until("an alert of silence", lambda: "has been silent for" in output.read_text(), timeout_s=600)
        EmbeddedStack(stack).kill("taskmanager")
        wait_until("what is down", lambda: "taskmanager is down: being restarted" in output.read_text())
    assert "\x1b" not in output.read_text()
    lifecycle.down(stack)
    assert list(supervision.processes(stack)) == []

    command = [FLEETPULSE, "demo", "--dir", stack.root, "--duration.seconds", "60"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "records of 200 devices" in done.stdout
    assert "were open, and are cancelled with the end of the demo" in done.stdout
    [query] = [line for line in done.stdout.splitlines() if " stack psql " in line]
    assert list(supervision.processes(stack)) == []

    try:
        EmbeddedStack(stack).wait_until_ready()
        newest = subprocess.run(shlex.split(query), capture_output=True, text=True, timeout=60, check=True).stdout
        assert "the demo ended" in newest
        with psycopg.connect(EmbeddedStack(stack).database_dsn) as database:
            assert database.execute("SELECT count(*) FROM alerts_open").fetchone() == (0,)
            by_the_end = "SELECT count(*) FROM alerts WHERE state = 'cancelled' AND summary ~ 'the demo ended'"
            assert database.execute(by_the_end).fetchone() > (0,)
            assert database.execute("SELECT count(*) FROM alerts_rejects").fetchone() == (0,)
        assert demos(topic_names(stack.address("kafka"))) == []
        assert rest.running_jobs(stack.address("flink-web")) == []
    finally:
        lifecycle.down(stack)
