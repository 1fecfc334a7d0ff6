"""No record of the rules topic stops a job."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from fleetpulse.rules.parts import RuleError
from udfs.deciding import Decide


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
