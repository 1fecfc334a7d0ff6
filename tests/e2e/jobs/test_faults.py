"""The alerts in the database, and on Grafana's panels, are those that must result, whatever is killed on the way."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Message

from fleetpulse.dashboards.render import View
from fleetpulse.database.migrate import migrate
from tests.e2e.support.alert_panels import expected, fact, shown
from tests.e2e.support.archives import Archive
from tests.e2e.support.databases import fresh_database, rows
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.fleets import Told, simulate, told_by
from tests.e2e.support.jobs import Revision, inactivity, is_of_clock, moment
from tests.e2e.support.kafka import header, origin, place, same_record
from tests.e2e.support.lifecycles import check_lifecycles, open_at
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

TIMEOUT_MS = 60_000
STORED = "SELECT alert_id, revision, state, opened_at, changed_at, device_id FROM alerts"
STILL_OPEN = "SELECT alert_id, revision FROM alerts_current WHERE state IN ('open', 'updated') ORDER BY 1"
HEARTBEATS = {"bad_time", "wrong_type", "future_timestamp"}  # among the reasons to reject a record
FLEET = (  # ten minutes of history and then 40 s live, with every fault there is
    *("--num.devices", "200", "--event.interval.ms", "1000", "--backfill", "10m", "--duration.seconds", "40"),
    *("--failure.probability", "0.4", "--site-outage.seconds", "100", "--out-of-order.rate", "0.02"),
    *("--late.rate", "0.005", "--duplicate.rate", "0.02", "--malformed.rate", "0.01"),
    *("--clock-ahead.devices", "2", "--clock-behind.devices", "2", "--seed", "1"),
)


def stored(archive: Archive) -> list[Revision]:
    return [Revision(str(alert_id), *rest) for alert_id, *rest in archive.query(STORED)]


def seen_times(
    written: Mapping[tuple[int, int], Message], letters: Mapping[tuple[int, int], Message]
) -> dict[str, list[int]]:
    """When each device gave heartbeats (epoch ms), as the records of the simulator and the contract say."""
    times: dict[str, list[int]] = defaultdict(list)
    for where, message in written.items():
        device, (_, kafka_time_ms) = message.key().decode(), message.timestamp()
        if where not in letters:
            times[device].append(min(json.loads(message.value())["time"], kafka_time_ms))
        elif header(letters[where], "fleetpulse.reason") in HEARTBEATS:
            times[device].append(kafka_time_ms)  # its own time cannot be read, or is ahead of it
    return times


def check_open_alerts(alerts: list[Revision], lives: Mapping[str, list[int]], end_ms: int) -> None:
    """Alerts are open at the end only where the last heartbeat is more than the timeout before it."""
    still_open = [alert for alert in open_at(alerts, moment(end_ms)) if not is_of_clock(alert)]
    assert still_open
    for alert in still_open:
        last_ms = max(life_ms for life_ms in lives[alert.device_id] if life_ms <= end_ms)
        assert end_ms - last_ms > TIMEOUT_MS, f"{alert} is open, but its device was alive at {moment(last_ms)}"


def check_panels(archive: Archive, told: Told, devices: set[str]) -> None:
    """Every panel of *IoT Device Alerts* shows the truth file's alerts of these devices, as of its last instant."""
    until = moment(told.until_ms)
    view = View(until - timedelta(hours=1), until, "1m", {"site": None, "device": sorted(devices), "kind": None})
    facts = [fact(alert) for alert in told.expected]
    with psycopg.connect(archive.dsn) as database:
        open_now = rows(database, "SELECT alert_id, revision FROM alerts_open ORDER BY 1")
        assert open_now == rows(database, STILL_OPEN)
        assert open_now
        # As it was at that instant: written anew, since what is open now is kept as rows are written.
        database.execute("CREATE TEMP TABLE told AS SELECT * FROM alerts WHERE changed_at <= %s", [until])
        database.execute("DELETE FROM alerts")
        database.execute("INSERT INTO alerts SELECT * FROM told ORDER BY revision")
        panels = shown(database, view)
    assert panels == expected(facts, view)
    assert all(panels[title] for title in panels)
    assert panels["Open now"][0]["open"] > 0
    assert panels["Time to recover"]["p95"] > 0


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
            generator = simulate(job, "--truth", str(truth), *FLEET)
            running.wait_until_read(1)
            stack.kill("taskmanager")
            running.wait_until_read(50_000)
            stack.kill("kafka")
            running.wait_until_read(100_000)
            stack.kill("taskmanager")
            assert generator.wait(180) == 0
            told = told_by(truth)
            assert len(job.written()) == told.sent >= 100_000
            job.wait_until_all_decided(running, told.until_ms)
            written = {place(message): message for message in job.written()}
            running.wait_until_read(len(written))
            counts = running.counts()
            assert stack.stray_workers() == []
            running.savepoint(stop=True)
            running.wait_until_finished()
            alerts = job.alerts()
            wait_until("the archive to have them all", lambda: len(stored(archive)) >= len(alerts))
            assert sorted(stored(archive)) == sorted(alerts)
        clear = {message.key().decode() for message in written.values()} - told.unclear
        check_panels(archive, told, {device for device in clear if not device.startswith("probe-")})
    assert told.comparable(alerts) == told.expected
    check_lifecycles(alerts)
    letters = job.dead_letters()
    check_open_alerts(alerts, seen_times(written, letters), told.until_ms)
    assert counts["read"] == counts["on_time"] + counts["late"] + counts["rejected"] == len(written)
    assert counts["rejected"] == len(letters)
    assert Counter(header(letter, "fleetpulse.reason") for letter in letters.values()) == told.rejected
    assert all(same_record(letter, written[origin(letter)]) for letter in letters.values())
    assert counts["late"] == len(job.late())
