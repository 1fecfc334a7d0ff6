"""The same alerts, whatever the order, the batches, the subtasks, the shards or somebody's clock."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from generator.records import Record
from generator.scenario import Scenario
from generator.stream import decided_until, records
from generator.truth import Revision as Expected
from generator.truth import Truth
from tests.e2e.embedded import EmbeddedStack
from tests.e2e.jobs import Inactivity, Revision, header, inactivity

pytestmark = pytest.mark.e2e

START_MS = 1_767_225_600_000
BOUND_MS = 2_000
SETTINGS = ("--timeout.ms", "20000", "--evaluation.period.ms", "10000")


def fleet(devices: int, interval_ms: float, duration_ms: int, **faults: float) -> Scenario:
    """A fleet where many fall silent, watched with SETTINGS."""
    watched = {"failure_probability": 0.5, "timeout_ms": 20_000, "period_ms": 10_000, "bound_ms": BOUND_MS}
    return Scenario(7, devices, interval_ms, START_MS, duration_ms, **watched, **faults)


def simulated(scenario: Scenario) -> tuple[list[Record], set[Revision]]:
    """The records of a fleet, and the alerts that must result by the time its records decide."""
    told: list[Expected] = []
    truth = Truth(scenario, told.append)
    sent = list(records(scenario, truth))
    until_ms = decided_until(scenario, scenario.end_ms)
    truth.close(until_ms)
    certain = (e for e in told if e.changed_at_ms <= until_ms and e.device_id not in truth.order_dependent)
    return sent, {revision(e) for e in certain}


def revision(expected: Expected) -> Revision:
    return Revision(
        str(expected.alert_id),
        expected.revision,
        expected.state,
        moment(expected.opened_at_ms),
        moment(expected.changed_at_ms),
        expected.device_id,
    )


def moment(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms // 1000, UTC).replace(microsecond=epoch_ms % 1000 * 1000)


def shuffled(sent: Iterable[Record], seed: int) -> list[Record]:
    """The records in another order of arrival, none of them later than the bound allows."""
    chance = random.Random(seed)
    return sorted(sent, key=lambda record: record.timestamp_ms + chance.uniform(0, BOUND_MS))


def decided(job: Inactivity, scenario: Scenario) -> list[Revision]:
    """The alerts by the time that the records of `scenario` decide."""
    until = moment(decided_until(scenario, scenario.end_ms))
    return sorted(alert for alert in job.alerts() if alert.changed_at <= until)


def test_the_same_records_give_the_same_alerts(stack: EmbeddedStack) -> None:
    scenario = fleet(100, 1_000, 200_000, duplicate_rate=0.02, malformed_rate=0.01)
    sent, expected = simulated(scenario)
    one, other = inactivity(stack), inactivity(stack, partitions=4)
    one.write(sent)
    other.write(shuffled(sent, seed=1))
    one.decide_all(*SETTINGS, "--parallelism", "1")
    other.decide_all(*SETTINGS, "--parallelism", "3", "--shards", "5", "--batch.size", "97")
    assert decided(one, scenario) == sorted(expected)
    assert decided(other, scenario) == sorted(expected)
    assert one.late() == other.late() == []


@pytest.mark.parametrize("time_source", ["field", "record"])
def test_a_clock_that_is_a_day_off_changes_nothing_for_the_others(stack: EmbeddedStack, time_source: str) -> None:
    scenario = fleet(1_000, 5_000, 100_000, clock_ahead_devices=1, clock_behind_devices=1)
    sent, expected = simulated(scenario)
    behind, ahead = (f"device-{device:05d}" for device in (998, 999))
    job = inactivity(stack, partitions=1)
    job.write(sent)
    # One partition and small batches, so that time moves while records still come.
    job.decide_all(*SETTINGS, "--time.source", time_source, "--batch.size", "20")
    assert {late.key().decode() for late in job.late()} == {behind}
    assert {letter.key().decode() for letter in job.dead_letters().values()} == {ahead}
    assert {header(letter, "fleetpulse.reason") for letter in job.dead_letters().values()} == {"future_timestamp"}
    assert [alert for alert in decided(job, scenario) if alert.device_id != behind] == sorted(expected)
