"""The cold storage job as it is assembled, and what it says to arguments it cannot use."""

from pathlib import Path

import pytest
from pyflink.datastream import CheckpointingMode, StreamExecutionEnvironment

from fleetpulse.cli.commandline import run
from fleetpulse.cli.settings import parse
from fleetpulse.stack.install.artifacts import jars
from jobs.cold import OPERATOR_NAMES, Settings, build, command, plan
from jobs.wiring.running import environment
from tests.jobs.test_deciding_jobs import uids

pytestmark = pytest.mark.jobs

GOLDEN_UIDS = Path(__file__).parent / "cold_uids.txt"
PATH = ("--cold.path", "s3://bucket/raw")


def assembled(*arguments: str) -> StreamExecutionEnvironment:
    planned = plan(parse(Settings, [*PATH, *arguments]))
    made = environment({**planned.flink, "pipeline.jars": ";".join(jar.as_uri() for jar in jars("cold"))})
    build(made, planned)
    return made


def test_operators_have_the_ids_that_savepoints_know() -> None:
    """Changed on purpose? Then write the new ids to the file, and say in the changelog what a restore needs."""
    assert uids(assembled()) == GOLDEN_UIDS.read_text().splitlines() == sorted(OPERATOR_NAMES)
    assert uids(assembled("--parallelism", "3", "--events.topic", "a;b")) == uids(assembled())


def test_checkpoints_are_exactly_once_and_seldom_enough_for_files_of_some_size() -> None:
    checkpoints = assembled().get_checkpoint_config()
    assert checkpoints.get_checkpoint_interval() == 300_000
    assert checkpoints.get_checkpointing_mode() == CheckpointingMode.EXACTLY_ONCE


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param([], "Missing option '--cold.path'", id="no path"),
        pytest.param(["--cold.path", "/var/cold"], "is no URI", id="a path for a URI"),
        pytest.param(["--cold.path", ""], "is no URI", id="an empty path"),
        pytest.param([*PATH, "--events.topic", "a;;b"], "separated by ';'", id="an empty topic"),
        pytest.param([*PATH, "--checkpoint.interval.ms", "0"], "--checkpoint.interval.ms", id="no checkpoints"),
    ],
)
def test_bad_arguments_end_with_one_line(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, ["--check", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("path", ["s3://bucket/raw", "file:///var/cold", "file:/var/cold"])
def test_check_submits_nothing(path: str) -> None:
    assert run(command, ["--check", "--cold.path", path]) == 0
