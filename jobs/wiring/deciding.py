"""What the deciding jobs share: one plan from their settings, one wiring of sources, decision and sinks.

Inactivity, anomalies and windows are decided by the same shards over the same frames. A job lists what it decides;
`jobs.monitor` decides all, so that a record is fetched and decoded once.
"""

import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import click
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from fleetpulse import topics
from fleetpulse.cli.settings import takes
from fleetpulse.errors import ConfigurationError
from fleetpulse.kafka.broker import reach
from fleetpulse.kafka.topics import ensure_topics, partition_count
from fleetpulse.rules.kinds.inactivity import Inactivity
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.versions import Versions
from fleetpulse.shard.clock import TickPolicy
from fleetpulse.shard.outputs import OutputTopics
from fleetpulse.shard.readings import ReadingPolicy
from fleetpulse.shard.shard import ShardPolicy
from fleetpulse.topics import Topic
from fleetpulse.windows.tumbling import WindowPolicy
from jobs.wiring import running
from jobs.wiring.arguments import CONTEXT, WINDOWS_MS, Settings, inactivity_policy
from jobs.wiring.crossing import process_by_shard, shard_keys
from jobs.wiring.identity import identity
from jobs.wiring.operators import number_operators_by_stream
from jobs.wiring.outputs import Sink, write_outputs
from jobs.wiring.ruling import given_rules, rule_versions
from jobs.wiring.telemetry import ITEM_TYPE, Source, items_by_shard, write_ticks
from jobs.wiring.writers import Claim
from udfs.deciding import RECORD_TYPE, Decide, WritePolicy

_ATTEMPTS = 30  # restarts without a lasting success; after that a person must look

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

_OFTEN_MS = 1000  # no more often are brokers asked for new partitions


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a job decides, and its name in Flink, consumer groups, transactions and operator ids."""

    name: str
    inactivity: bool = False
    anomalies: bool = False
    windows: bool = False

    @property
    def alerts(self) -> bool:
        """Whether it makes alerts, and so uses rules."""
        return self.inactivity or self.anomalies

    @property
    def without(self) -> Collection[str]:
        """The groups of settings that it does not have."""
        has = {"alerts": self.alerts, "rules": self.alerts, "silence": self.inactivity, "windows": self.windows}
        return [name for name, present in has.items() if not present]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job is made of, as its settings say."""

    name: str
    identity: str
    claim: Claim
    source: Source
    policy: ShardPolicy
    output_topics: OutputTopics
    sink: Sink
    flink: Mapping[str, str]


def plan(decisions: Decisions, settings: Settings, partitions: int, versions: Versions = ()) -> Plan:
    """The plan of these settings, on topics with so many partitions, by these versions of the rules."""
    telemetry, alerts, silence, windows = settings.telemetry, settings.alerts, settings.silence, settings.windows
    # Two jobs that write to the same place must not share a name: their transactions would fence each other.
    name = f"{decisions.name}-{_main_output(settings)}"
    source = Source(
        telemetry.bootstrap_servers,
        telemetry.topics,
        f"fleetpulse-{name}",
        min(settings.running.parallelism, partitions),
        settings.time.source,
        settings.time.out_of_orderness_ms,
        settings.time.max_future_skew_ms,
        settings.time.idle_timeout_ms,
        _discovery_interval_ms(settings, versions),
        None if settings.running.bounded else _ticks_topic(decisions, settings),
        settings.rules.topic if settings.rules else None,
        telemetry.registry_url,
        settings.running.on_data_loss == "stop",
    )
    output_topics = OutputTopics(
        source.topics,
        telemetry.late_topic,
        telemetry.dlq_topic,
        alerts.topic if alerts else None,
        silence.plain_topic if silence else None,
        windows.topic if windows else None,
    )
    run = uuid.uuid4().hex[:8]
    sink = Sink(source.bootstrap_servers, name, run, settings.running.delivery)
    policy = _policy(decisions, settings, versions)
    of_job = identity(decisions.name, _main_output(settings))
    claim = Claim(source.bootstrap_servers, dict(_alone(decisions, settings)))
    flink = _configuration(decisions, settings, of_job, claim, run)
    return Plan(decisions.name, of_job, claim, source, policy, output_topics, sink, flink)


def _alone(decisions: Decisions, settings: Settings) -> Iterator[tuple[str, str]]:
    """The topics that no other job may write, each with its setting; those of late and rejected records are shared."""
    if settings.alerts:
        yield "--alerts.topic", settings.alerts.topic
    if settings.silence and settings.silence.alerts_mode == "every-evaluation":
        yield "--plain.topic", settings.silence.plain_topic
    if settings.windows:
        yield "--aggregates.topic", settings.windows.topic
    if not settings.running.bounded:
        yield "--ticks.topic", _ticks_topic(decisions, settings)


def _discovery_interval_ms(settings: Settings, versions: Versions) -> int:
    """How often new partitions are looked for: so often that nobody who now writes to one is taken for silent."""
    if settings.silence is None:
        return settings.time.discovery_interval_ms
    rules = (rule for version in versions for rule in version.rules.rules)
    timeouts_ms = [settings.silence.timeout_ms, *(int(rule.timeout) for rule in rules if isinstance(rule, Inactivity))]
    return min(settings.time.discovery_interval_ms, max(_OFTEN_MS, min(timeouts_ms) // 4))


def _main_output(settings: Settings) -> str:
    if settings.alerts:
        return settings.alerts.topic
    assert settings.windows is not None
    return settings.windows.topic


def _ticks_topic(decisions: Decisions, settings: Settings) -> str:
    return settings.telemetry.ticks_topic or topics.ticks(decisions.name).name


def _policy(decisions: Decisions, settings: Settings, versions: Versions) -> ShardPolicy:
    inactivity, silence, time = None, settings.silence, settings.time
    if silence:
        inactivity = inactivity_policy(silence, time, silence.alerts_mode == "every-evaluation")
    windows = WindowPolicy(WINDOWS_MS[settings.windows.width]) if settings.windows else None
    readings = ReadingPolicy(decisions.anomalies, windows, time.forget_after_ms)
    usual = TickPolicy()
    ticks = TickPolicy(
        reconnect_grace_ms=time.reconnect_grace_ms,
        ahead_ms=max(usual.ahead_ms, time.max_future_skew_ms),
        jump_ms=time.idle_timeout_ms + usual.gap_ms,
    )
    return ShardPolicy(settings.telemetry.topics, settings.running.shards, inactivity, readings, versions, ticks)


def _configuration(decisions: Decisions, settings: Settings, of_job: str, claim: Claim, run: str) -> Mapping[str, str]:
    more: dict[str, str | int] = {
        "pipeline.auto-watermark-interval": "50 ms",
        "python.fn-execution.bundle.time": 50,
        "python.fn-execution.bundle.size": settings.running.batch_size,
        "python.fn-execution.arrow.batch.size": settings.running.batch_size,
    }
    return running.configuration(f"fleetpulse {decisions.name}", of_job, claim, settings.running, _ATTEMPTS, more, run)


def decide(tables: StreamTableEnvironment, job: Plan) -> DataStream:
    """Wire sources, frames and decision; the result is the stream of records that leave (see `output_topics`)."""
    keys = shard_keys(job.policy.shards)
    items = items_by_shard(tables, job.source, keys, job.policy.measured)
    decided = process_by_shard(items, ITEM_TYPE, Decide(job.policy, job.output_topics, keys, _writes(job)), RECORD_TYPE)
    return decided.uid(f"{job.name}-decide").name(f"decide {job.name}, by shard")


def _writes(job: Plan) -> WritePolicy | None:
    """What the job claims while it runs. Bounded input is not worth that a job that runs for good has to end."""
    if job.source.ticks_topic is None:
        return None
    return WritePolicy(job.sink.bootstrap_servers, tuple(job.claim.places.values()), f"{job.name}.{job.sink.run}")


def build(environment: StreamExecutionEnvironment, job: Plan) -> None:
    """Attach the whole job to `environment`: sources, decision, sinks and the writer of ticks."""
    tables = StreamTableEnvironment.create(environment)
    write_outputs(tables, decide(tables, job), job.output_topics, job.sink)
    if job.source.ticks_topic:
        write_ticks(tables)
    number_operators_by_stream(environment, OPERATOR_NAMES)


def command(decisions: Decisions, meaning: str) -> click.Command:
    """The command that submits a deciding job."""

    @click.command(
        decisions.name,
        help=f"{meaning}\n\nReads --events.topic from its beginning, or from where a savepoint left off.",
        context_settings=CONTEXT,
    )
    @takes(Settings, decisions.without)
    def submits(settings: Settings) -> None:
        run(decisions, settings)

    return submits


def run(decisions: Decisions, settings: Settings) -> None:
    """Check the settings together and, without --check, submit the job."""
    _refuse_contradictions(decisions, settings)
    given = given_rules(settings.rules.file) if settings.rules else None
    planned = plan(decisions, settings, partitions=1)
    if settings.running.check:
        click.echo(running.describe(planned))
        return
    reach(settings.telemetry.bootstrap_servers)
    if settings.rules and settings.rules.only:
        if given is not None:
            _publish_rules(settings.telemetry.bootstrap_servers, settings.rules.topic, given)
        return
    running.refuse_second(planned.claim)
    partitions = _prepare_topics(decisions, settings)
    versions: Versions = ()
    if settings.rules:
        versions = rule_versions(settings.telemetry.bootstrap_servers, settings.rules.topic, given)
    running.submit(plan(decisions, settings, partitions, versions), build)


def _publish_rules(bootstrap_servers: str, topic: str, given: RuleSet) -> None:
    ensure_topics(bootstrap_servers, [replace(topics.RULES, name=topic)])
    rule_versions(bootstrap_servers, topic, given)


def _topics(decisions: Decisions, settings: Settings) -> Iterator[tuple[str, Topic]]:
    """The topics of a job's own, each with the setting that names it, as they are created if missing."""
    if settings.alerts:
        yield "--alerts.topic", replace(topics.ALERTS, name=settings.alerts.topic)
    if settings.silence:
        yield "--plain.topic", replace(topics.ALERTS, name=settings.silence.plain_topic)
    yield "--late.topic", replace(topics.LATE, name=settings.telemetry.late_topic)
    yield "--dlq.topic", replace(topics.DEAD_LETTERS, name=settings.telemetry.dlq_topic)
    yield "--ticks.topic", replace(topics.ticks(decisions.name), name=_ticks_topic(decisions, settings))
    if settings.rules:
        yield "--rules.topic", replace(topics.RULES, name=settings.rules.topic)
    if settings.windows:
        yield "--aggregates.topic", replace(topics.AGGREGATES, name=settings.windows.topic)


def _prepare_topics(decisions: Decisions, settings: Settings) -> int:
    """Create missing topics; return the number of partitions to read."""
    servers = settings.telemetry.bootstrap_servers
    read = [replace(topics.EVENTS, name=name) for name in settings.telemetry.topics]
    ensure_topics(servers, [*read, *(topic for _, topic in _topics(decisions, settings))])
    return partition_count(servers, settings.telemetry.topics)


def _refuse_contradictions(decisions: Decisions, settings: Settings) -> None:
    """Refuse settings that are valid alone, but not together."""
    if settings.silence:
        inactivity_policy(settings.silence, settings.time)
    taken = dict.fromkeys(settings.telemetry.topics, "--events.topic")
    for setting, topic in _topics(decisions, settings):
        if topic.name in taken:
            raise ConfigurationError(
                f"{setting}: {topic.name!r} is the topic of {taken[topic.name]} too; it needs its own"
            )
        taken[topic.name] = setting
