"""The alerts in the database are those that must result, whatever is killed on the way."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from database.migrate import migrate
from tests.e2e.archives import Archive
from tests.e2e.databases import fresh_database
from tests.e2e.embedded import EmbeddedStack
from tests.e2e.jobs import Inactivity, Revision, header, inactivity, origin, place, revision_of, same_record
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

TIMEOUT_MS = 60_000
STORED = "SELECT alert_id, revision, state, opened_at, changed_at, device_id FROM alerts"
FAULTS = (
    *("--failure.probability", "0.4", "--site-outage.seconds", "100", "--out-of-order.rate", "0.02"),
    *("--late.rate", "0.005", "--duplicate.rate", "0.02", "--malformed.rate", "0.01"),
    *("--clock-ahead.devices", "2", "--clock-behind.devices", "2"),
)


def simulate(job: Inactivity, truth: Path) -> subprocess.Popen[bytes]:
    """Ten minutes of history of 200 devices and then 40 s live, with every fault there is."""
    fleet = ("--num.devices", "200", "--event.interval.ms", "1000", "--backfill", "10m", "--duration.seconds", "40")
    where = ("--kafka.bootstrap.servers", job.stack.bootstrap, "--topic", job.events, "--truth", str(truth))
    return subprocess.Popen(
        [Path(sys.executable).with_name("fleetpulse"), "generate", *where, *fleet, *FAULTS, "--seed", "1"]
    )


def stored(archive: Archive) -> list[Revision]:
    return [Revision(str(alert_id), *rest) for alert_id, *rest in archive.query(STORED)]


def test_alerts_equal_the_truth_though_flink_is_killed_twice_and_the_broker_once(
    stack: EmbeddedStack, tmp_path: Path
) -> None:
    job, truth = inactivity(stack), tmp_path / "truth.jsonl"
    with (
        fresh_database(stack.database_dsn) as dsn,
        job.running("--reconnect.grace.ms", "15000", "--timeout.ms", str(TIMEOUT_MS)) as running,
    ):
        migrate(dsn)
        archive = Archive(stack, dsn, job.alerts_topic)
        with archive.running():
            generator = simulate(job, truth)
            running.wait_until_read(1)
            stack.kill("taskmanager")
            running.wait_until_read(50_000)
            stack.kill("kafka")
            running.wait_until_read(100_000)
            stack.kill("taskmanager")
            assert generator.wait(180) == 0
            summary, *lines = [json.loads(line) for line in truth.read_text().splitlines()]
            until_ms = summary["complete_until_ms"]
            unclear = set(summary["order_dependent_devices"])
            expected = {revision_of(line) for line in lines if line["device_id"] not in unclear}
            written = {place(message): message for message in job.written()}
            assert len(written) >= 100_000
            running.wait_until_read(len(written))
            wait_until("all alerts that must result", lambda: expected <= set(stored(archive)), 240)
            running.savepoint()
            found = stored(archive)
            counts = running.counts()
            letters = job.dead_letters()
    decided = [r for r in found if r.changed_at.timestamp() * 1000 <= until_ms]
    assert {r for r in decided if r.device_id not in unclear} == expected
    check_lifecycles(found)
    assert counts["read"] == counts["on_time"] + counts["late"] + counts["rejected"] == len(written)
    assert counts["rejected"] == len(letters) > 0
    assert all(same_record(letter, written[origin(letter)]) for letter in letters.values())
    assert all(header(letter, "fleetpulse.reason") for letter in letters.values())
    assert counts["late"] == len(job.late())


def check_lifecycles(found: list[Revision]) -> None:
    """No revision twice, none missing, and at most one open alert a device."""
    assert len({(r.alert_id, r.revision) for r in found}) == len(found)
    states: dict[str, dict[int, str]] = defaultdict(dict)
    for revision in found:
        states[revision.alert_id][revision.revision] = revision.state
    assert all(sorted(of_alert) == list(range(1, len(of_alert) + 1)) for of_alert in states.values())
    still_open = [r.device_id for r in found if len(states[r.alert_id]) == 1]
    assert len(set(still_open)) == len(still_open)
