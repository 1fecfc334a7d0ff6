"""What the keyed function adds to a shard: no rules record stops it, and shards share what is known of lost records."""

import logging
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from pyflink.common import Row

from fleetpulse.frames.frame import excuse
from fleetpulse.rules.model import read
from fleetpulse.rules.parts import RuleError
from fleetpulse.shard.outputs import OutputTopics
from fleetpulse.shard.shard import ShardPolicy
from udfs.deciding import Decide
from udfs.gauges import Gauges

AT_MS = 1_767_225_600_000


class Counter:
    value = 0

    def inc(self) -> None:
        self.value += 1


@pytest.mark.parametrize(
    "fault",
    [
        RuleError("rules", "expected an object"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "?"),
        KeyError("x"),
        RecursionError(),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_record_of_the_rules_topic_that_fails_is_counted_logged_and_passed_over(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def learn(_record: bytes) -> list[Any]:
        raise fault

    decide, refused = Decide.__new__(Decide), Counter()
    decide._gauges = SimpleNamespace(rules_refused=refused)  # type: ignore[assignment]
    shard: Any = SimpleNamespace(learn=learn)
    with caplog.at_level(logging.WARNING):
        assert decide._learn(shard, b"x") == []
    assert refused.value == 1
    assert "passed over" in caplog.text


def test_a_record_of_the_rules_topic_that_is_good_is_not_counted() -> None:
    decide, refused = Decide.__new__(Decide), Counter()
    decide._gauges = SimpleNamespace(rules_refused=refused)  # type: ignore[assignment]
    shard: Any = SimpleNamespace(learn=lambda _record: ["an output"])
    assert decide._learn(shard, b"x") == ["an output"]
    assert refused.value == 0


def context(key: int) -> Mock:
    timers = Mock(current_watermark=lambda: 0)
    return Mock(get_current_key=lambda: key, timer_service=lambda: timers)


def test_lost_records_that_one_shard_is_told_of_excuse_the_others_of_its_subtask_too() -> None:
    decide = Decide(ShardPolicy(("events",), shards=3), OutputTopics(("events",), "late", "dlq"), (0, 1, 2))
    decide.open(Mock(get_map_state=lambda _descriptor: Mock(items=lambda: ())))
    decide.process_element(Row(None, AT_MS, None), context(0))
    decide.process_element(Row(excuse(AT_MS), None, None), context(1))
    decide.process_element(Row(None, AT_MS, None), context(2))
    assert [decide._shards[key].excused_until_ms for key in range(3)] == [AT_MS] * 3


def watch(version: int, *metrics: str) -> Any:
    rules = read(
        {
            "rules": [
                {"kind": "threshold", "id": "hot", "metric": "temperature_c", "above": {"critical": 50}},
                {"kind": "threshold", "id": "fuel", "metric": "fuel_l", "below": {"critical": 5}},
            ]
        }
    )
    return SimpleNamespace(
        readings=SimpleNamespace(anomalies=SimpleNamespace(version=version, rules=rules, metrics={*metrics}))
    )


def test_rules_without_values_in_any_shard_are_counted() -> None:
    shards: dict[int, Any] = {0: watch(1), 1: watch(1, "temperature_c"), 2: SimpleNamespace(readings=None)}
    gauges = Gauges(Mock(), shards)
    assert gauges.rules_without_values() == ["no record has `fuel_l`: 'fuel' never fires"]
    shards[0].readings.anomalies.metrics.add("fuel_l")
    assert gauges.rules_without_values() == []
    assert Gauges(Mock(), {}).rules_without_values() == []


def test_rules_without_values_are_logged_once_after_five_minutes_of_event_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    decide = Decide(ShardPolicy(("events",), shards=1), OutputTopics(("events",), "late", "dlq"), (0,))
    decide.open(Mock(get_map_state=lambda _descriptor: Mock(items=lambda: ())))
    decide._gauges = Gauges(Mock(), {0: watch(1, "humidity")})
    with caplog.at_level(logging.WARNING):
        for minute in (0, 4, 5, 6):
            decide._gauges.watermark_ms = AT_MS + minute * 60_000
            decide._report_rules_without_values()
            assert len(caplog.records) == (2 if minute >= 5 else 0)
    assert "no record has `fuel_l`: 'fuel' never fires" in caplog.text
