"""The inactivity job: raises an alert when a device has been silent, and ends it when the device is back.

flink run -py jobs/inactivity.py -pyfs build/fleetpulse.zip --kafka.bootstrap.servers localhost:9092
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import click
from pyflink.common import Configuration
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from clients.commandline import run
from clients.parameters import bootstrap_servers, topic_name
from clients.topics import ensure_topics, partition_count
from fleetpulse import topics
from fleetpulse.clock import TickPolicy
from fleetpulse.errors import ConfigurationError
from fleetpulse.outbox import Outbox
from fleetpulse.shard import ShardPolicy
from fleetpulse.shards import MAX_PARALLELISM
from fleetpulse.silences import InactivityPolicy
from jobs import arguments
from jobs.crossing import process_by_shard, shard_keys
from jobs.operators import UID_GENERATION, number_operators_by_stream
from jobs.outputs import Sink, write_outputs
from jobs.telemetry import ITEM_TYPE, Source, items_by_shard, write_ticks
from udfs.deciding import RECORD_TYPE, Decide

_DAY_MS = 86_400_000

# What the Flink UI shows, by the ids of operators.
OPERATOR_NAMES = {
    "telemetry-0-kafka": "telemetry",
    "telemetry-1-calc": "origin of each record",
    "telemetry-2-python-calc": "pack frames, by shard",
    "telemetry-3-calc": "frames only",
    "telemetry-4-constraint-validator": "check frames",
    "telemetry-4-external-datastream": "frames",
    "ticks-0-kafka": "ticks",
    "ticks-1-calc": "time of each tick",
    "ticks-2-correlate": "one tick a shard",
    "ticks-3-calc": "ticks by shard",
    "ticks-4-constraint-validator": "check ticks",
    "ticks-4-external-datastream": "ticks by shard as rows",
    "outputs-0-external-datastream": "decided",
    "outputs-1-calc": "records to write",
    "outputs-2-constraint-validator": "check records",
    "outputs-2-sink": "alerts, late and rejected records",
    "ticks-writer-0-source": "clock",
    "ticks-writer-1-calc": "empty ticks",
    "ticks-writer-2-sink": "write ticks",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What the job is made of, as its arguments say."""

    source: Source
    policy: ShardPolicy
    outbox: Outbox
    sink: Sink


def plan(arguments: Mapping[str, Any], partitions: int) -> Plan:
    """The plan that the command line asks for, on topics with so many partitions."""
    given = dict(arguments)
    name = f"inactivity-{given['alerts_topic']}"
    source = Source(
        given["bootstrap_servers"],
        given["events_topics"],
        f"fleetpulse-{name}",
        min(given["parallelism"], partitions),
        given["time_source"],
        given["out_of_orderness_ms"],
        given["max_future_skew_ms"],
        given["idle_timeout_ms"],
        None if given["bounded"] else given["ticks_topic"],
    )
    inactivity = InactivityPolicy(
        given["timeout_ms"],
        given["evaluation_period_ms"],
        given["forget_after_ms"],
        report_every_evaluation=given["alerts_mode"] == "every-evaluation",
    )
    ticks = TickPolicy(reconnect_grace_ms=given["reconnect_grace_ms"])
    outbox = Outbox(source.topics, given["alerts_topic"], given["plain_topic"], given["late_topic"], given["dlq_topic"])
    policy = ShardPolicy(source.topics, given["shards"], inactivity, ticks)
    return Plan(source, policy, outbox, Sink(source.bootstrap_servers, name, given["delivery"]))


def configuration(arguments: Mapping[str, Any]) -> Configuration:
    """The settings the job carries itself, whatever the cluster's own are."""
    values = {
        "parallelism.default": arguments["parallelism"],
        "pipeline.max-parallelism": MAX_PARALLELISM,
        "pipeline.auto-watermark-interval": "50 ms",
        "python.fn-execution.bundle.time": 50,
        "python.fn-execution.bundle.size": arguments["batch_size"],
        "python.fn-execution.arrow.batch.size": arguments["batch_size"],
        # What decisions rest on: state in step with what was read, and no row reused while Python has it.
        "execution.runtime-mode": "STREAMING",
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        "execution.checkpointing.unaligned.enabled": "false",
        "pipeline.object-reuse": "false",
        "python.execution-mode": "process",
        "execution.checkpointing.interval": f"{arguments['checkpoint_interval_ms']} ms",
        "execution.checkpointing.dir": arguments["checkpoint_dir"],
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "30 s",
        "restart-strategy.exponential-delay.attempts-before-reset-backoff": 30,
        "table.local-time-zone": "UTC",
        **UID_GENERATION,
    }
    settings = Configuration()
    for key, value in values.items():
        settings.set_string(key, str(value))
    return settings


def build(tables: StreamTableEnvironment, job: Plan) -> DataStream:
    """Wire sources, frames and decision; the result is the stream of records that leave (see `outbox`)."""
    items = items_by_shard(tables, job.source, shard_keys(job.policy.shards))
    decided = process_by_shard(items, ITEM_TYPE, Decide(job.policy, job.outbox), RECORD_TYPE)
    return decided.uid("inactivity-decide").name("decide inactivity, by shard")


def assemble(environment: StreamExecutionEnvironment, job: Plan) -> None:
    """Attach the whole job to `environment`: sources, decision, sinks and the writer of ticks."""
    tables = StreamTableEnvironment.create(environment)
    write_outputs(tables, build(tables, job), job.outbox, job.sink)
    if job.source.ticks_topic:
        write_ticks(tables)
    number_operators_by_stream(environment, OPERATOR_NAMES)


def _prepare_topics(arguments: Mapping[str, Any]) -> int:
    """Make the topics that are missing; returns how many partitions there are to read."""
    servers = arguments["bootstrap_servers"]
    wanted = [
        *(replace(topics.EVENTS, name=name) for name in arguments["events_topics"]),
        replace(topics.ALERTS, name=arguments["alerts_topic"]),
        replace(topics.ALERTS, name=arguments["plain_topic"]),
        replace(topics.LATE, name=arguments["late_topic"]),
        replace(topics.DEAD_LETTERS, name=arguments["dlq_topic"]),
        replace(topics.ticks("inactivity"), name=arguments["ticks_topic"]),
    ]
    ensure_topics(servers, wanted)
    return partition_count(servers, arguments["events_topics"])


def _refuse_contradictions(arguments: Mapping[str, Any]) -> None:
    """Refuse what each argument allows for itself, but not together with the others."""
    if arguments["forget_after_ms"] <= arguments["timeout_ms"]:
        raise ConfigurationError(
            f"--forget.after.ms: {arguments['forget_after_ms']} must be more than --timeout.ms"
            f" {arguments['timeout_ms']}"
        )
    taken = dict.fromkeys(arguments["events_topics"], "--events.topic")
    for name in ("alerts", "plain", "late", "dlq", "ticks"):
        topic = arguments[f"{name}_topic"]
        if topic in taken:
            raise ConfigurationError(f"--{name}.topic: {topic!r} is the topic of {taken[topic]} too; it needs its own")
        taken[topic] = f"--{name}.topic"


def _topics(_context: click.Context, _option: click.Parameter, value: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in value.split(";"))
    if not all(names) or len(set(names)) < len(names):
        raise click.BadParameter(f"{value!r} is not a list of different topics separated by ';'")
    return tuple(topic_name(_context, _option, name) for name in names)


@click.command(context_settings=arguments.CONTEXT)
@bootstrap_servers
@click.option(
    "--events.topic", "events_topics", default="events", callback=_topics, help="Topics to read, separated by ';'."
)
@click.option("--alerts.topic", "alerts_topic", callback=topic_name, default="alerts", help="Topic for alerts.")
@click.option(
    "--late.topic", "late_topic", callback=topic_name, default="telemetry.late", help="Topic for late records."
)
@click.option(
    "--dlq.topic",
    "dlq_topic",
    callback=topic_name,
    default="telemetry.dlq",
    envvar="DLQ_TOPIC",
    help="Topic for rejected records.",
)
@click.option(
    "--ticks.topic",
    "ticks_topic",
    callback=topic_name,
    default="fleetpulse.ticks.inactivity",
    help="Topic of this job's own clock.",
)
@click.option(
    "--alerts.mode",
    "alerts_mode",
    type=click.Choice(["lifecycle", "every-evaluation"]),
    default="lifecycle",
    help="every-evaluation also writes each silent device at each evaluation to --plain.topic.",
)
@click.option(
    "--plain.topic",
    "plain_topic",
    callback=topic_name,
    default="alerts.plain",
    help="Topic for --alerts.mode every-evaluation.",
)
@arguments.milliseconds("timeout", 60_000, 1, 7 * _DAY_MS, "How long a device may be silent")
@arguments.milliseconds("evaluation.period", 30_000, 1000, _DAY_MS, "How often silence is evaluated")
@arguments.milliseconds("forget.after", 7 * _DAY_MS, 60_000, 365 * _DAY_MS, "When a silent device is forgotten")
@arguments.milliseconds("out.of.orderness", 2_000, 0, _DAY_MS, "How far records may be out of order")
@arguments.milliseconds("max.future.skew", 60_000, 0, _DAY_MS, "How far a time may be ahead of the Kafka timestamp")
@arguments.milliseconds("idle.timeout", 30_000, 1000, _DAY_MS, "When a partition without records stops holding time")
@arguments.milliseconds("reconnect.grace", 30_000, 0, _DAY_MS, "How long decisions wait after an outage of ours")
@click.option(
    "--time.source",
    "time_source",
    type=click.Choice(["field", "record"]),
    default="field",
    help="What moves the watermark: the time in the value, or the Kafka timestamp alone (fastest).",
)
@click.option(
    "--shards", type=click.IntRange(1, 128), default=16, help="Groups of devices; fixed by the first checkpoint."
)
@click.option(
    "--batch.size",
    "batch_size",
    type=click.IntRange(1, 1_000_000),
    default=50_000,
    help="Records that cross to Python at once.",
)
@click.option(
    "--delivery",
    type=click.Choice(["exactly-once", "at-least-once"]),
    default="exactly-once",
    help="at-least-once shows records before the checkpoint that makes them final.",
)
@arguments.checkpoint_dir
@arguments.milliseconds("checkpoint.interval", 10_000, 100, 600_000, "Time between checkpoints")
@arguments.parallelism
@click.option("--bounded", is_flag=True, help="Read up to the present end of the topics, decide, and end.")
@arguments.check
def command(check: bool, **values: Any) -> None:
    """Watch for devices that fall silent.

    Reads --events.topic from its beginning, or from where a savepoint left off.
    """
    _refuse_contradictions(values)
    if check:
        return
    environment = StreamExecutionEnvironment.get_execution_environment(configuration(values))
    assemble(environment, plan(values, _prepare_topics(values)))
    environment.execute("fleetpulse inactivity")


if __name__ == "__main__":
    sys.exit(run(command))
