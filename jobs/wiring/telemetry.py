"""The way in, shared by the jobs: telemetry as frames and the job's own clock as ticks, both by shard."""

from dataclasses import dataclass

from pyflink.common import Types
from pyflink.datastream import DataStream
from pyflink.table import DataTypes, StreamTableEnvironment
from pyflink.table.udf import udf

from jobs.wiring.arguments import interval
from jobs.wiring.operators import name_operators
from sql import statement
from udfs.framing import ToFrames
from udfs.losses import LossPolicy

# What a keyed function gets: a frame, a tick or a version of the rules; the others are null.
ITEM_TYPE = Types.ROW([Types.PRIMITIVE_ARRAY(Types.BYTE()), Types.LONG(), Types.PRIMITIVE_ARRAY(Types.BYTE())])
_FRAME_TYPE = DataTypes.ROW(
    [DataTypes.FIELD("shard_key", DataTypes.INT()), DataTypes.FIELD("frame", DataTypes.BYTES())]
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where telemetry comes from and how its time is told. Durations in milliseconds.

    `parallelism` must not exceed the number of partitions: a subtask without one would hold time until it counts as
    idle. Without `ticks_topic` the input is bounded: it is read up to its present end, and no ticks are written.
    """

    bootstrap_servers: str
    topics: tuple[str, ...]
    group: str
    parallelism: int
    time_source: str
    out_of_orderness_ms: int
    max_future_skew_ms: int
    idle_timeout_ms: int
    discovery_interval_ms: int
    ticks_topic: str | None
    rules_topic: str | None = None
    registry_url: str | None = None
    stop_on_loss: bool = False


def items_by_shard(
    tables: StreamTableEnvironment, source: Source, shard_keys: tuple[int, ...], measured: bool
) -> DataStream:
    """Rows of (shard key, (frame, tick, rules)); the watermark is made in the sources, one a partition."""
    _read_telemetry(tables, source)
    items = frames_by_shard(tables, source, shard_keys, measured)
    if source.ticks_topic is not None:
        items = items.union(_ticks(tables, source, shard_keys))
    if source.rules_topic is not None:
        items = items.union(_rules(tables, source, shard_keys))
    return items


def _read_telemetry(tables: StreamTableEnvironment, source: Source) -> None:
    tables.execute_sql(
        statement(
            f"telemetry_{source.time_source}_time",
            topics=";".join(source.topics),
            bootstrap_servers=source.bootstrap_servers,
            group=source.group,
            bounded="unbounded" if source.ticks_topic else "latest-offset",
            parallelism=str(source.parallelism),
            idle_timeout=f"{source.idle_timeout_ms} ms",
            discovery_interval=f"{source.discovery_interval_ms} ms",
            # A bounded input may end before the next periodic watermark, and its last instants were not decided.
            emit="on-periodic" if source.ticks_topic else "on-event",
            bound=_bound(source),
            **_of_field_time(source),
        )
    )


def frames_by_shard(
    tables: StreamTableEnvironment, source: Source, shard_keys: tuple[int, ...], measured: bool
) -> DataStream:
    """Rows of (shard key, (frame, null, null)) of the records in the table `telemetry`, wherever that reads them."""
    name_operators(tables, "telemetry")
    loss = LossPolicy(source.bootstrap_servers, source.group, source.topics, source.stop_on_loss)
    to_frames = ToFrames(
        shard_keys,
        source.max_future_skew_ms,
        source.out_of_orderness_ms,
        measured,
        source.registry_url,
        loss if source.ticks_topic else None,  # bounded input goes on from nowhere
    )
    tables.create_temporary_function("to_frames", udf(to_frames, result_type=_FRAME_TYPE, func_type="pandas"))
    return tables.to_data_stream(tables.sql_query(statement("telemetry_frames", topics=source.topics)))


def _ticks(tables: StreamTableEnvironment, source: Source, shard_keys: tuple[int, ...]) -> DataStream:
    name_operators(tables, "ticks")
    tables.execute_sql(
        statement("ticks", topic=source.ticks_topic, bootstrap_servers=source.bootstrap_servers, bound=_bound(source))
    )
    return tables.to_data_stream(tables.sql_query(statement("ticks_to_shards", shard_keys=shard_keys)))


def _rules(tables: StreamTableEnvironment, source: Source, shard_keys: tuple[int, ...]) -> DataStream:
    name_operators(tables, "rules")
    tables.execute_sql(
        statement(
            "rules",
            topic=source.rules_topic,
            bootstrap_servers=source.bootstrap_servers,
            bounded="unbounded" if source.ticks_topic else "latest-offset",
        )
    )
    return tables.to_data_stream(tables.sql_query(statement("rules_to_shards", shard_keys=shard_keys)))


def write_ticks(tables: StreamTableEnvironment) -> None:
    """Let the job write its ticks, through Kafka, so that a dead broker stops the clock."""
    name_operators(tables, "ticks-writer")
    tables.execute_sql(statement("ticks_clock"))
    statements = tables.create_statement_set()
    statements.add_insert_sql(statement("ticks_write"))
    statements.attach_as_datastream()


def _of_field_time(source: Source) -> dict[str, str]:
    return {"untold": interval(source.idle_timeout_ms)} if source.time_source == "field" else {}


def _bound(source: Source) -> str:
    return interval(source.out_of_orderness_ms + 1)  # a record exactly at the bound is on time
