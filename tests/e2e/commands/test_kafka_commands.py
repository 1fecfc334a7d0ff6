"""`fleetpulse kafka` on a real broker."""

import re

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.kafka.cli import command
from tests.e2e.support.embedded import EmbeddedStack

pytestmark = pytest.mark.e2e


def test_a_cluster_that_is_whole_is_said_to_be_so(stack: EmbeddedStack, capsys: pytest.CaptureFixture[str]) -> None:
    broker = ["--kafka.bootstrap.servers", stack.bootstrap]
    assert run(command, ["make-topics", *broker]) == 0
    assert run(command, ["make-topics", *broker]) == 0
    assert capsys.readouterr().out.endswith("all topics are there\n")
    assert run(command, ["test-topics", *broker]) == 0
    told = capsys.readouterr().out
    assert re.search(r"alerts +1 +1 +as it should be", told)
    assert "missing" not in told

    assert run(command, ["verify-cluster", *broker]) == 0
    assert f"1    {stack.bootstrap}" in capsys.readouterr().out
    assert run(command, ["test-external", *broker]) == 0
    assert f"broker 1 at {stack.bootstrap}: a record there and back" in capsys.readouterr().out
