"""The story that all contenders read."""

from collections import defaultdict
from itertools import pairwise

import pytest

from bench.peers.silence import BOUND_MS, PERIOD_MS, TIMEOUT_MS, Silence, Telemetry, decode
from bench.topic import FEWEST, PARTITIONS, START_MS, Fleet


@pytest.mark.parametrize("records", [FEWEST, FEWEST + 1, 3 * FEWEST])
def test_the_alerts_that_are_due_are_those_of_the_decision(records: int) -> None:
    fleet = Fleet(records)
    partitions = [Silence() for _ in range(PARTITIONS)]
    alerts = [
        alert
        for device, _, value in fleet.telemetry()
        for alert in partitions[device % PARTITIONS].accept(decode(value))
    ]
    assert len(alerts) == len(set(alerts)) == fleet.alerts


def test_there_are_as_many_records_as_asked_for_in_the_order_of_time() -> None:
    times = [ts_ms for _, ts_ms, _ in Fleet(FEWEST).telemetry()]
    assert len(times) == FEWEST
    assert times[0] == START_MS
    assert all(before <= after for before, after in pairwise(times))


def test_a_device_that_is_not_meant_to_be_silent_never_is() -> None:
    heard: dict[int, list[int]] = defaultdict(list)
    for device, ts_ms, _ in Fleet(FEWEST).telemetry():
        heard[device].append(ts_ms)
    pauses = [
        after - before for device, times in heard.items() if device % 20 == 0 for before, after in pairwise(times)
    ]
    assert max(pauses) < TIMEOUT_MS


def test_an_alert_comes_with_the_first_record_after_its_evaluation_and_the_bound() -> None:
    silence = Silence()
    evaluation = START_MS + 3 * PERIOD_MS
    assert silence.accept(Telemetry("silent", START_MS)) == []
    assert silence.accept(Telemetry("other", evaluation + BOUND_MS - 1)) == []
    assert len(silence.accept(Telemetry("other", evaluation + BOUND_MS))) == 1
