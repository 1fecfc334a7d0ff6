"""The same alerts, whatever the order, the batches, the subtasks, the shards or somebody's clock."""

import json
import random
from collections import Counter
from collections.abc import Iterable

import pytest

from generator.payloads.records import Record
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.jobs import inactivity
from tests.e2e.support.kafka import header, messages
from tests.e2e.support.scenarios import BOUND_MS, SETTINGS, START_MS, decided, fleet, simulated, spoken

pytestmark = pytest.mark.e2e


def shuffled(sent: Iterable[Record], seed: int) -> list[Record]:
    """The records in another order of arrival, none of them later than the bound allows."""
    chance = random.Random(seed)
    return sorted(sent, key=lambda record: record.timestamp_ms + chance.uniform(0, BOUND_MS))


def test_the_same_records_give_the_same_alerts(stack: EmbeddedStack) -> None:
    scenario = fleet(100, 1_000, 200_000, duplicate_rate=0.02, malformed_rate=0.01)
    sent, expected = simulated(scenario)
    one, other = inactivity(stack), inactivity(stack, partitions=4)
    one.write(sent)
    other.write(shuffled(sent, seed=1))
    one.decide_all(*SETTINGS, "--parallelism", "1")
    loaded = stack.loaded_classes()
    other.decide_all(*SETTINGS, "--parallelism", "3", "--shards", "5", "--batch.size", "97")
    assert stack.loaded_classes() - loaded < 1_500, "each job loads PyFlink's classes anew, and none ever goes"
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


def test_every_evaluation_names_each_silent_device_on_the_plain_topic(stack: EmbeddedStack) -> None:
    """Evaluated every 10 s, silent after 20 s:

    back    0 . . 30 40 50 / 55 . . 80 90
    gone    5 . . 30 40 50      60 70 80 90
    clock   speaks until 100, which decides everything until 98
    """
    job = inactivity(stack, partitions=1)
    sent = [spoken("back", 0), spoken("gone", 5), spoken("back", 55), *(spoken("clock", s) for s in range(101))]
    job.write(sorted(sent))
    job.decide_all(*SETTINGS, "--alerts.mode", "every-evaluation")
    plain = messages(stack.bootstrap, job.plain_topic)
    assert all(json.loads(m.value())["device-id"] == m.key().decode() for m in plain)
    assert Counter(frozenset(json.loads(m.value()).items()) for m in plain) == {
        frozenset({("device-id", "back"), ("latest-event-time", START_MS)}): 3,
        frozenset({("device-id", "back"), ("latest-event-time", START_MS + 55_000)}): 2,
        frozenset({("device-id", "gone"), ("latest-event-time", START_MS + 5_000)}): 7,
    }
    revisions = Counter((alert.device_id, alert.state) for alert in job.alerts())
    assert revisions == {("back", "open"): 2, ("back", "recovered"): 1, ("gone", "open"): 1}
