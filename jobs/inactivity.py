"""The inactivity job: raises an alert when a device has been silent, and ends it when the device is back.

flink run -py jobs/inactivity.py -pyfs build/fleetpulse.zip --kafka.bootstrap.servers localhost:9092
"""

import sys
from dataclasses import dataclass
from typing import Any

import click
from pyflink.common import Configuration, Types
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.table import DataTypes, Schema, StreamTableEnvironment
from pyflink.table.udf import udf

from clients.commandline import run
from fleetpulse.clock import TickPolicy
from fleetpulse.inactivity import InactivityPolicy
from fleetpulse.outbox import Outbox
from fleetpulse.shard import ShardPolicy
from fleetpulse.shards import MAX_PARALLELISM
from jobs import arguments
from jobs.crossing import process_by_shard, shard_keys
from sql import statement
from udfs.deciding import RECORD_TYPE, Decide
from udfs.framing import framer

_DAY_MS = 86_400_000
_ITEM_TYPE = Types.ROW([Types.PRIMITIVE_ARRAY(Types.BYTE()), Types.LONG()])
_FRAME_TYPE = DataTypes.ROW(
    [DataTypes.FIELD("shard_key", DataTypes.INT()), DataTypes.FIELD("frame", DataTypes.BYTES())]
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the job runs with. Durations in milliseconds."""

    bootstrap_servers: str
    events_topics: tuple[str, ...]
    alerts_topic: str
    plain_topic: str
    late_topic: str
    dlq_topic: str
    ticks_topic: str
    checkpoint_dir: str
    checkpoint_interval_ms: int
    parallelism: int
    source_parallelism: int
    timeout_ms: int
    evaluation_period_ms: int
    forget_after_ms: int
    out_of_orderness_ms: int
    max_future_skew_ms: int
    idle_timeout_ms: int
    reconnect_grace_ms: int
    time_source: str
    shards: int
    batch_size: int
    delivery: str
    alerts_mode: str
    bounded: bool

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.events_topics, self.alerts_topic, self.plain_topic, self.late_topic, self.dlq_topic)

    @property
    def policy(self) -> ShardPolicy:
        inactivity = InactivityPolicy(
            self.timeout_ms,
            self.evaluation_period_ms,
            self.forget_after_ms,
            report_every_evaluation=self.alerts_mode == "every-evaluation",
        )
        ticks = TickPolicy(reconnect_grace_ms=self.reconnect_grace_ms)
        return ShardPolicy(self.events_topics, self.shards, inactivity, ticks)


def configuration(settings: Settings) -> Configuration:
    """The settings the job carries itself, whatever the cluster's own are."""
    values = {
        "parallelism.default": settings.parallelism,
        "pipeline.max-parallelism": MAX_PARALLELISM,
        "pipeline.auto-watermark-interval": "50 ms",
        "python.fn-execution.bundle.time": 50,
        "python.fn-execution.bundle.size": settings.batch_size,
        "python.fn-execution.arrow.batch.size": settings.batch_size,
        "execution.checkpointing.interval": f"{settings.checkpoint_interval_ms} ms",
        "execution.checkpointing.dir": settings.checkpoint_dir,
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "30 s",
        "restart-strategy.exponential-delay.attempts-before-reset-backoff": 30,
        "table.local-time-zone": "UTC",
        "table.exec.uid.generation": "ALWAYS",
    }
    config = Configuration()
    for key, value in values.items():
        config.set_string(key, str(value))
    return config


def build(tables: StreamTableEnvironment, settings: Settings) -> DataStream:
    """Wire sources, frames and decision; the result is the stream of records that leave (see `outbox`)."""
    keys = shard_keys(settings.shards)
    items = _items(tables, settings, keys)
    decided = process_by_shard(items, _ITEM_TYPE, Decide(settings.policy, settings.outbox), RECORD_TYPE)
    return decided.uid("inactivity-decide").name("decide inactivity, by shard")


def _items(tables: StreamTableEnvironment, settings: Settings, keys: tuple[int, ...]) -> DataStream:
    """Frames of telemetry and, unless the input is bounded, ticks: rows of (shard key, (frame, tick))."""
    _name_operators(tables, "telemetry")
    to_frames = framer(keys, settings.max_future_skew_ms)
    # Not deterministic, or the planner evaluates it twice: for the filter and for the projection.
    tables.create_temporary_function(
        "to_frames", udf(to_frames, result_type=_FRAME_TYPE, func_type="pandas", deterministic=False)
    )
    tables.execute_sql(
        statement(
            f"telemetry_{settings.time_source}_time",
            topics=";".join(settings.events_topics),
            bootstrap_servers=settings.bootstrap_servers,
            group=f"fleetpulse-inactivity-{settings.alerts_topic}",
            bounded="latest-offset" if settings.bounded else "unbounded",
            parallelism=str(settings.source_parallelism),
            idle_timeout=f"{settings.idle_timeout_ms} ms",
            bound=arguments.interval(settings.out_of_orderness_ms + 1),
        )
    )
    frames = tables.to_data_stream(tables.sql_query(statement("telemetry_frames", topics=settings.events_topics)))
    return frames if settings.bounded else frames.union(_ticks(tables, settings, keys))


def _ticks(tables: StreamTableEnvironment, settings: Settings, keys: tuple[int, ...]) -> DataStream:
    _name_operators(tables, "ticks")
    tables.execute_sql(
        statement(
            "ticks",
            topic=settings.ticks_topic,
            bootstrap_servers=settings.bootstrap_servers,
            bound=arguments.interval(settings.out_of_orderness_ms + 1),
        )
    )
    return tables.to_data_stream(tables.sql_query(statement("ticks_to_shards", shard_keys=keys)))


def write_ticks(tables: StreamTableEnvironment) -> None:
    """Let the job write its own ticks through Kafka."""
    _name_operators(tables, "ticks-writer")
    tables.execute_sql(statement("ticks_clock"))
    statements = tables.create_statement_set()
    statements.add_insert_sql(statement("ticks_write"))
    statements.attach_as_datastream()


def write_outputs(tables: StreamTableEnvironment, decided: DataStream, settings: Settings) -> None:
    """Send what was decided to its topics, in transactions that commit with the checkpoints."""
    _name_operators(tables, "outputs")
    tables.create_temporary_view("decided", tables.from_data_stream(decided))
    tables.execute_sql(
        statement(
            "outputs",
            topics=";".join(settings.outbox.topics),
            bootstrap_servers=settings.bootstrap_servers,
            delivery=settings.delivery,
            transactional_id_prefix=f"fleetpulse-inactivity-{settings.alerts_topic}",
            transaction_timeout_ms="900000",
        )
    )
    statements = tables.create_statement_set()
    statements.add_insert_sql(statement("outputs_write"))
    statements.attach_as_datastream()


def _name_operators(tables: StreamTableEnvironment, prefix: str) -> None:
    # Savepoints find state by these ids; the default ones shift with every operator that is added.
    tables.get_config().set("table.exec.uid.format", f"inactivity-{prefix}-<id>-<transformation>")


def submit(settings: Settings) -> None:
    """Build the job and hand it to Flink; waits for the end where the input is bounded."""
    environment = StreamExecutionEnvironment.get_execution_environment(configuration(settings))
    tables = StreamTableEnvironment.create(environment)
    decided = build(tables, settings)
    write_outputs(tables, decided, settings)
    if not settings.bounded:
        write_ticks(tables)
    environment.execute("fleetpulse inactivity")


def _topics(_context: click.Context, _option: click.Parameter, value: str) -> tuple[str, ...]:
    topics = tuple(part.strip() for part in value.split(";"))
    if not all(topics) or len(set(topics)) < len(topics):
        raise click.BadParameter(f"{value!r} is not a list of different topics separated by ';'")
    return topics


@click.command(context_settings=arguments.CONTEXT)
@arguments.bootstrap_servers
@click.option(
    "--events.topic", "events_topics", default="events", callback=_topics, help="Topics to read, separated by ';'."
)
@click.option("--alerts.topic", "alerts_topic", default="alerts", help="Topic for alerts.")
@click.option("--late.topic", "late_topic", default="telemetry.late", help="Topic for late records.")
@click.option(
    "--dlq.topic", "dlq_topic", default="telemetry.dlq", envvar="DLQ_TOPIC", help="Topic for rejected records."
)
@click.option(
    "--ticks.topic", "ticks_topic", default="fleetpulse.ticks.inactivity", help="Topic of this job's own clock."
)
@click.option(
    "--alerts.mode",
    "alerts_mode",
    type=click.Choice(["lifecycle", "every-evaluation"]),
    default="lifecycle",
    help="every-evaluation also writes each silent device at each evaluation to --plain.topic.",
)
@click.option("--plain.topic", "plain_topic", default="alerts.plain", help="Topic for --alerts.mode every-evaluation.")
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
    "--batch.size", "batch_size", type=click.IntRange(1, 1_000_000), default=50_000, help="Records that cross to Python at once."
)
@click.option(
    "--delivery",
    type=click.Choice(["exactly-once", "at-least-once"]),
    default="exactly-once",
    help="at-least-once shows records before the checkpoint that makes them final.",
)
@arguments.checkpoint_dir
@arguments.milliseconds("checkpoint.interval", 10_000, 100, 3_600_000, "Time between checkpoints")
@arguments.parallelism
@click.option("--bounded", is_flag=True, help="Read up to the present end of the topics, decide, and end.")
@arguments.check
def command(check: bool, **values: Any) -> None:
    """Watch for devices that fall silent.

    Reads --events.topic from its beginning, or from where a savepoint left off.
    """
    if check:
        return
    settings = Settings(source_parallelism=values["parallelism"], **values)
    submit(settings)


if __name__ == "__main__":
    sys.exit(run(command))
