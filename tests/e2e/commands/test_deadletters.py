"""Dead letters are put back once, with their timestamps, and given up after the last retry."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from fleetpulse.cli.main import fleetpulse
from generator.payloads.records import Record
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.jobs import Inactivity, inactivity
from tests.e2e.support.kafka import messages
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

T0_MS = 1_767_225_600_000
BROKEN = [b"rubbish", b'{"device_id":"d1","ts":', b'{"device_id":"","ts":%d}' % T0_MS]


@pytest.fixture
def dlq(stack: EmbeddedStack) -> tuple[Inactivity, Callable[..., str]]:
    """A job's topics, and `fleetpulse dlq` on them."""
    job = inactivity(stack, partitions=1)

    def call(command: str, *arguments: str) -> str:
        positions = ["--kafka.bootstrap.servers", stack.bootstrap, "--dlq.topic", job.dead_letter_topic]
        done = CliRunner().invoke(fleetpulse, ["dlq", command, *positions, *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    return job, call


def test_letters_are_replayed_until_they_are_given_up(dlq, tmp_path: Path) -> None:
    job, call = dlq
    job.write([Record(T0_MS + i, b"key %d" % i, value, T0_MS + i) for i, value in enumerate(BROKEN)])
    repaired = tmp_path / "repaired.json"
    repaired.write_bytes(b'{"device_id":"d1","ts":%d}' % T0_MS)
    with job.running() as running:
        await_letters(job, 3)
        [truncated] = [f"{m.partition()}:{m.offset()}" for m in job.dead_letters().values() if m.value() == BROKEN[1]]
        assert "^ character" in call("show", truncated)
        assert call("replay", truncated, "--value", str(repaired)).startswith("1 replayed, 0 parked, 0 left")
        assert call("replay", "--reason", "malformed").startswith("1 replayed, 0 parked, 1 left")
        running.wait_until_read(5)
        await_letters(job, 4)
        again = call("replay", "--reason", "malformed", "--backoff.ms", "86400000")
        assert again.startswith("0 replayed, 0 parked, 3 left")  # twice changes nothing
        for retries in (2, 3):
            assert call("replay", "--reason", "malformed", "--backoff.ms", "0").startswith("1 replayed, 0 parked")
            await_letters(job, 3 + retries)
        assert call("replay", "--reason", "malformed", "--backoff.ms", "0").startswith("0 replayed, 1 parked")
        assert call("replay", "--reason", "malformed", "--backoff.ms", "0").startswith("0 replayed, 0 parked")
    written = [(m.key(), m.value(), m.timestamp()[1]) for m in job.written()]
    assert written[3:] == [(b"key 1", repaired.read_bytes(), T0_MS + 1), *[(b"key 0", BROKEN[0], T0_MS)] * 3]
    [parked] = messages(job.stack.bootstrap, f"{job.dead_letter_topic}.parked")
    assert (parked.key(), parked.value(), parked.timestamp()[1]) == (b"key 0", BROKEN[0], T0_MS)
    assert re.search(r"bad_device_id +\S+ +1 +1 ", call("stats"))


def test_every_broken_kind_is_shown_where_it_ended(dlq) -> None:
    job, call = dlq
    with job.running() as running:
        running.wait_until_started()
        told = call("simulate", "--topic", job.events, "--timeout.seconds", "300")
    assert "not yet" not in told
    assert told.count("wrong_type") >= 6
    assert "too_large" in told


def await_letters(job: Inactivity, count: int) -> None:
    wait_until(f"{count} letters", lambda: len(job.dead_letters()) >= count)
