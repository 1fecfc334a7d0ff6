"""Mistakes that only a broker can answer: each is one line after the broker's, and exit code 2."""

import re
import shlex

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.cli.main import fleetpulse
from tests.e2e.support.embedded import EmbeddedStack

pytestmark = pytest.mark.e2e

NOT_THERE = r"topic nowhere is not there at 127\.0\.0\.1:\d+: .*Unknown topic"
MISTAKES = [
    ("kafka watch nowhere", NOT_THERE),
    ("backtest --topic nowhere", NOT_THERE),
    ("dlq list --dlq.topic nowhere", NOT_THERE),
    ("dlq simulate --topic nowhere", NOT_THERE),
    ("rules list --rules.topic nowhere", NOT_THERE),
    ("rules show 99 --rules.topic nowhere", NOT_THERE),
    ("rules show 99", r"there is no version 99; there are: "),
    ("dlq show 0:999999", r"telemetry\.dlq holds no such letter"),
    ("explain 00000000-0000-0000-0000-000000000000", r"topic alerts has no alert 00000000-"),
]


@pytest.mark.parametrize(("words", "expected"), MISTAKES, ids=[words for words, _ in MISTAKES])
def test_a_mistake_is_one_line_and_exit_code_2(
    words: str, expected: str, stack: EmbeddedStack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(fleetpulse, [*shlex.split(words), "--dir", str(stack.dir)]) == 2
    broker, error = capsys.readouterr().err.splitlines()
    assert broker == f"broker {stack.bootstrap} (the stack in {stack.dir})"
    assert re.match(f"error: {expected}", error)
