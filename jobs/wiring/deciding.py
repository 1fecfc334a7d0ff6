"""What the deciding jobs share: one plan from their arguments, one wiring of sources, decision and sinks.

Inactivity, anomalies and windows are decided by the same shards over the same frames. A job says which of them it
decides; `jobs.monitor` decides all, so that a record is fetched and decoded once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pyflink.common import Configuration
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from fleetpulse import topics
from fleetpulse.errors import ConfigurationError
from fleetpulse.inactivity.timeouts import InactivityPolicy
from fleetpulse.kafka.topics import ensure_topics, partition_count
from fleetpulse.records.sharding import MAX_PARALLELISM
from fleetpulse.rules.versions import Versions
from fleetpulse.shard.clock import TickPolicy
from fleetpulse.shard.outputs import OutputTopics
from fleetpulse.shard.readings import ReadingPolicy
from fleetpulse.shard.shard import ShardPolicy
from fleetpulse.windows.tumbling import WindowPolicy
from jobs.wiring.arguments import WINDOWS_MS, aggregates_topic
from jobs.wiring.crossing import process_by_shard, shard_keys
from jobs.wiring.operators import UID_GENERATION, number_operators_by_stream
from jobs.wiring.outputs import Sink, write_outputs
from jobs.wiring.ruling import first_rules, rule_versions
from jobs.wiring.telemetry import ITEM_TYPE, Source, items_by_shard, write_ticks
from udfs.deciding import RECORD_TYPE, Decide

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
    "rules-0-kafka": "rules",
    "rules-1-calc": "versions of the rules",
    "rules-2-correlate": "one version a shard",
    "rules-3-calc": "versions by shard",
    "rules-4-constraint-validator": "check versions",
    "rules-4-external-datastream": "versions by shard as rows",
    "outputs-0-external-datastream": "decided",
    "outputs-1-calc": "records to write",
    "outputs-2-constraint-validator": "check records",
    "outputs-2-sink": "alerts, late and rejected records",
    "ticks-writer-0-source": "clock",
    "ticks-writer-1-calc": "empty ticks",
    "ticks-writer-2-sink": "write ticks",
}


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a job decides, and what it is called: in Flink, in consumer groups, transactions and operator ids."""

    name: str
    inactivity: bool = False
    anomalies: bool = False
    windows: bool = False

    @property
    def rules(self) -> bool:
        """Whether rules have a say in it."""
        return self.inactivity or self.anomalies


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job is made of, as its arguments say."""

    name: str
    source: Source
    policy: ShardPolicy
    output_topics: OutputTopics
    sink: Sink


def plan(decisions: Decisions, arguments: Mapping[str, Any], partitions: int, versions: Versions = ()) -> Plan:
    """The plan that the command line asks for, on topics with so many partitions, by these versions of the rules."""
    given = dict(arguments)
    # Two jobs that write to the same place must not share a name: their transactions would fence each other.
    name = f"{decisions.name}-{given.get('alerts_topic') or given['aggregates_topic']}"
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
        given["rules_topic"] if decisions.rules else None,
        given["schema_registry_url"],
    )
    output_topics = OutputTopics(
        source.topics,
        given["late_topic"],
        given["dlq_topic"],
        given.get("alerts_topic"),
        given.get("plain_topic"),
        aggregates_topic(given) if decisions.windows else None,
    )
    sink = Sink(source.bootstrap_servers, name, given["delivery"])
    return Plan(decisions.name, source, _policy(decisions, given, source.topics, versions), output_topics, sink)


def _policy(
    decisions: Decisions, given: Mapping[str, Any], sources: tuple[str, ...], versions: Versions
) -> ShardPolicy:
    inactivity = None
    if decisions.inactivity:
        every = given["alerts_mode"] == "every-evaluation"
        durations = (given["timeout_ms"], given["evaluation_period_ms"], given["forget_after_ms"])
        inactivity = InactivityPolicy(*durations, report_every_evaluation=every)
    windows = WindowPolicy(WINDOWS_MS[given["window"]]) if decisions.windows else None
    readings = ReadingPolicy(decisions.anomalies, windows, given["forget_after_ms"])
    ticks = TickPolicy(reconnect_grace_ms=given["reconnect_grace_ms"])
    return ShardPolicy(sources, given["shards"], inactivity, readings, versions, ticks)


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
    """Wire sources, frames and decision; the result is the stream of records that leave (see `output_topics`)."""
    keys = shard_keys(job.policy.shards)
    items = items_by_shard(tables, job.source, keys, job.policy.measured)
    decided = process_by_shard(items, ITEM_TYPE, Decide(job.policy, job.output_topics, keys), RECORD_TYPE)
    return decided.uid(f"{job.name}-decide").name(f"decide {job.name}, by shard")


def assemble(environment: StreamExecutionEnvironment, job: Plan) -> None:
    """Attach the whole job to `environment`: sources, decision, sinks and the writer of ticks."""
    tables = StreamTableEnvironment.create(environment)
    write_outputs(tables, build(tables, job), job.output_topics, job.sink)
    if job.source.ticks_topic:
        write_ticks(tables)
    number_operators_by_stream(environment, OPERATOR_NAMES)


def run(decisions: Decisions, arguments: Mapping[str, Any]) -> None:
    """Check the arguments together, and unless they only were to be checked, submit the job."""
    _refuse_contradictions(arguments)
    first = first_rules(arguments)
    if arguments["check"]:
        return
    partitions = _prepare_topics(decisions, arguments)
    versions: Versions = ()
    if decisions.rules:
        versions = rule_versions(arguments["bootstrap_servers"], arguments["rules_topic"], first)
    environment = StreamExecutionEnvironment.get_execution_environment(configuration(arguments))
    assemble(environment, plan(decisions, arguments, partitions, versions))
    environment.execute(f"fleetpulse {decisions.name}")


def _prepare_topics(decisions: Decisions, arguments: Mapping[str, Any]) -> int:
    """Make the topics that are missing; returns how many partitions there are to read."""
    servers = arguments["bootstrap_servers"]
    wanted = [replace(topics.EVENTS, name=name) for name in arguments["events_topics"]]
    usual = {
        "alerts_topic": topics.ALERTS,
        "plain_topic": topics.ALERTS,
        "late_topic": topics.LATE,
        "dlq_topic": topics.DEAD_LETTERS,
        "ticks_topic": topics.ticks(decisions.name),
        "rules_topic": topics.RULES,
    }
    wanted += [replace(topic, name=arguments[name]) for name, topic in usual.items() if arguments.get(name)]
    if decisions.windows and (name := aggregates_topic(arguments)):
        wanted.append(replace(topics.AGGREGATES, name=name))
    ensure_topics(servers, wanted)
    return partition_count(servers, arguments["events_topics"])


def _refuse_contradictions(arguments: Mapping[str, Any]) -> None:
    """Refuse what each argument allows for itself, but not together with the others."""
    timeout_ms = arguments.get("timeout_ms", 0)
    if arguments["forget_after_ms"] <= timeout_ms:
        raise ConfigurationError(
            f"--forget.after.ms: {arguments['forget_after_ms']} must be more than --timeout.ms {timeout_ms}"
        )
    taken = dict.fromkeys(arguments["events_topics"], "--events.topic")
    for name in ("alerts", "plain", "late", "dlq", "ticks", "rules", "aggregates"):
        topic = aggregates_topic(arguments) if name == "aggregates" else arguments.get(f"{name}_topic")
        if topic in taken:
            raise ConfigurationError(f"--{name}.topic: {topic!r} is the topic of {taken[topic]} too; it needs its own")
        if topic:
            taken[topic] = f"--{name}.topic"
