"""The deciding jobs as they are assembled: what savepoints, the shuffle and people at a prompt rely on."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from pyflink.datastream import CheckpointingMode, StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway

from fleetpulse.cli.commandline import run
from fleetpulse.cli.parameters import Duration
from fleetpulse.cli.settings import parse, shown
from fleetpulse.frames.sharding import MAX_PARALLELISM
from jobs import aggregate, anomaly, inactivity, monitor
from jobs.inactivity import command
from jobs.wiring.arguments import Settings
from jobs.wiring.crossing import _objects, shard_keys
from jobs.wiring.deciding import OPERATOR_NAMES, build, plan
from jobs.wiring.running import environment

pytestmark = pytest.mark.jobs

GOLDEN_UIDS = Path(__file__).parent / "uids"
JOBS = {"inactivity": inactivity, "anomaly": anomaly, "aggregate": aggregate, "monitor": monitor}
PARTITIONS = 3


def assembled(*arguments: str, job: str = "inactivity") -> StreamExecutionEnvironment:
    decisions = JOBS[job].DECISIONS
    planned = plan(decisions, parse(Settings, arguments, decisions.without), PARTITIONS)
    made = environment(planned.flink)
    build(made, planned)
    return made


def uids(made: StreamExecutionEnvironment) -> list[str]:
    graph = made._j_stream_execution_environment.getStreamGraph(False)
    return sorted(str(node.getTransformationUID()) for node in each(graph.getStreamNodes()))


def each(collection: Any) -> Iterator[Any]:
    iterator = collection.iterator()
    while iterator.hasNext():
        yield iterator.next()


@pytest.mark.parametrize("job", JOBS)
def test_operators_have_the_ids_that_savepoints_know(job: str) -> None:
    """Changed on purpose? Then write the new ids to the file, and say in the changelog what a restore needs."""
    assert uids(assembled(job=job)) == (GOLDEN_UIDS / f"{job}.txt").read_text().splitlines()


def test_operators_have_the_same_ids_whatever_is_asked() -> None:
    """So a job can be restored with other arguments, and one made second in a process has the ids of the first."""
    assert uids(assembled("--parallelism", "3", "--time.source", "record", "--events.topic", "a;b")) == uids(
        assembled()
    )


@pytest.mark.parametrize("job", ["inactivity", "monitor"])
def test_every_operator_has_a_name_for_people(job: str) -> None:
    graph = assembled(job=job)._j_stream_execution_environment.getStreamGraph(False)
    shown = [str(node.getOperatorName()) for node in each(graph.getStreamNodes())]
    assert all(any(name in operator for operator in shown) for name in OPERATOR_NAMES.values())
    assert not [operator for operator in shown if "[" in operator or "default_catalog" in operator]


def test_a_bounded_run_writes_and_reads_no_ticks() -> None:
    assert uids(assembled("--bounded")) == [uid for uid in uids(assembled()) if "ticks-" not in uid]


def test_checkpoints_are_exactly_once_and_every_ten_seconds() -> None:
    checkpoints = assembled().get_checkpoint_config()
    assert checkpoints.get_checkpoint_interval() == 10_000
    assert checkpoints.get_checkpointing_mode() == CheckpointingMode.EXACTLY_ONCE


def test_every_stream_has_a_declared_type() -> None:
    """An undeclared one is pickled record by record."""
    types = {
        transformation.getName(): str(transformation.getOutputType().getClass().getSimpleName())
        for last in each(assembled(job="monitor")._j_stream_execution_environment.getTransformations())
        for transformation in each(last.getTransitivePredecessors())
    }
    assert set(types.values()) <= {"InternalTypeInfo", "ExternalTypeInfo", "RowTypeInfo"}, types


@pytest.mark.parametrize("shards", [1, 3, 5, 16, 36])
def test_shards_spread_evenly_over_the_subtasks(shards: int) -> None:
    keys = shard_keys(shards)
    for parallelism in range(1, 17):
        subtasks = Counter(subtask(key, parallelism) for key in keys)
        fewest, rest = divmod(shards, parallelism)
        most = fewest + 1 if rest else fewest
        assert all(fewest <= subtasks[i] <= most for i in range(parallelism)), (parallelism, subtasks)


def subtask(key: int, parallelism: int) -> int:
    jvm = get_gateway().jvm
    assignment = jvm.org.apache.flink.runtime.state.KeyGroupRangeAssignment
    row = jvm.org.apache.flink.types.Row.of(_objects(key))
    return int(assignment.assignKeyToParallelOperator(row, MAX_PARALLELISM, parallelism))


def test_the_first_shard_has_the_same_key_for_every_count() -> None:
    """It is how a restore with another count is noticed."""
    assert {shard_keys(shards)[0] for shards in (2, 5, 16, 128)} == {shard_keys(1)[0]}


BAD_ARGUMENTS = [
    pytest.param(["--no.such.option", "1"], "No such option", id="unknown option"),
    pytest.param(["events"], "unexpected extra argument", id="no option at all"),
    pytest.param(["--timeout.ms"], "requires an argument", id="no value"),
    pytest.param(["--parallelism", "0"], "expected a whole number from 1 to 128", id="no subtask"),
    pytest.param(["--parallelism", "129"], "expected a whole number from 1 to 128", id="more subtasks than key groups"),
    pytest.param(["--parallelism", "two"], "expected a whole number from 1 to 128", id="parallelism in words"),
    pytest.param(["--timeout.ms", "abc"], "not a duration", id="timeout in words"),
    pytest.param(["--timeout.ms", "0"], "--timeout.ms", id="no timeout"),
    pytest.param(["--timeout.ms", "60 seconds"], "not a duration", id="timeout with an unknown unit"),
    pytest.param(["--evaluation.period.ms", "-1"], "--evaluation.period.ms", id="negative period"),
    pytest.param(["--out.of.orderness.ms", "86400001"], "--out.of.orderness.ms", id="bound of more than a day"),
    pytest.param(["--max.future.skew.ms", "-1"], "--max.future.skew.ms", id="negative skew"),
    pytest.param(["--idle.timeout.ms", "0"], "--idle.timeout.ms", id="no idle timeout"),
    pytest.param(["--checkpoint.interval.ms", "0"], "--checkpoint.interval.ms", id="no checkpoint interval"),
    pytest.param(["--events.topic", ""], "--events.topic", id="no topic"),
    pytest.param(["--events.topic", "a;;b"], "separated by ';' or ','", id="an empty topic"),
    pytest.param(["--events.topic", "a;b;a"], "different topics", id="a topic twice"),
    pytest.param(["--time.source", "arrival"], "'field', 'record'", id="unknown time source"),
    pytest.param(["--shards", "0"], "expected a whole number from 1 to 128", id="no shard"),
    pytest.param(["--batch.size", "0"], "--batch.size", id="no record a batch"),
    pytest.param(["--delivery", "twice"], "'exactly-once', 'at-least-once'", id="unknown delivery"),
    pytest.param(["--events.topic", "a b"], "'a b' is no topic name", id="a topic with a blank"),
    pytest.param(["--alerts.topic", ".."], "'..' is no topic name", id="a topic Kafka refuses"),
    pytest.param(["--dlq.topic", "events"], "the topic of --events.topic too", id="dead letters into what is read"),
    pytest.param(["--late.topic", "alerts"], "the topic of --alerts.topic too", id="two outputs in one topic"),
    pytest.param(["--ticks.topic", "telemetry.dlq"], "the topic of --dlq.topic too", id="ticks among dead letters"),
    pytest.param(
        ["--max.clock.offset.ms", "59999"],
        "--max.clock.offset.ms: 59999 must not be less than --max.future.skew.ms 60000",
        id="accepted and yet a wrong clock",
    ),
    pytest.param(["--forget.after.ms", "60000"], "must be more than --timeout.ms 60000", id="forgotten when silent"),
    pytest.param(["--kafka.bootstrap.servers", "kafka"], "is not host:port", id="no port"),
    pytest.param(["--checkpoint.dir", "/tmp/x"], "is no URI", id="a path for a URI"),
    pytest.param(["--checkpoint.interval.ms", "900000"], "100ms to 10m", id="checkpoints outlive transactions"),
    pytest.param(["--alerts.mode", "loud"], "'lifecycle', 'every-evaluation'", id="unknown mode"),
]


@pytest.mark.parametrize(("arguments", "says"), BAD_ARGUMENTS)
def test_bad_arguments_end_with_one_line(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, ["--check", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_check_submits_nothing() -> None:
    assert run(command, ["--check"]) == 0


@pytest.mark.parametrize("option", [p for p in command.params if isinstance(p, click.Option)], ids=lambda o: o.name)
def test_help_names_every_option_with_its_unit_and_default(
    option: click.Option, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command, ["--help"]) == 0
    page = " ".join(capsys.readouterr().out.split())
    assert f" {option.opts[0]} " in page
    default = "" if option.is_flag or not isinstance(option.default, str | int) else f" [default: {shown(option)}"
    if isinstance(option.show_default, str):
        default = f" [default: ({option.show_default})"
    assert f"{' '.join(str(option.help).split())}{default}" in page
    assert option.opts[0].endswith(".ms") == isinstance(option.type, Duration)
