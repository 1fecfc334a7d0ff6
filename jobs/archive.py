"""The archive job: alerts, aggregates and readings from their topics into the database, once.

    flink run -py jobs/archive.py -pyfs build/fleetpulse.zip --database.url jdbc:postgresql://localhost:5432/monitoring

Alerts and aggregates pass without a line of Python at run time; readings of all dialects are decoded in Python, a batch
at a time. When the database goes away the sink throws, and the job restarts with growing delays, without a limit, and
reads again from its last checkpoint. Repeats are harmless: the ingest views keep each row once. Where rows were waiting
to be written, Flink's JDBC connector also throws while it is closed, which ends its TaskManager, once an outage: a
supervisor has to start it again, and what else runs there restarts with it.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import click
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import DataTypes, StreamTableEnvironment
from pyflink.table.udf import udf

from fleetpulse import topics
from fleetpulse.cli.commandline import run
from fleetpulse.cli.parameters import bootstrap_servers, topic_name
from fleetpulse.durations import DAY_MS
from fleetpulse.kafka.topics import ensure_topics
from jobs.wiring import arguments
from jobs.wiring.operators import UID_GENERATION, name_operators, number_operators_by_stream
from sql import statement
from udfs.archiving import ToReadings

# How a topic is made that is missing.
_AS_MADE = {"alerts": topics.ALERTS, "aggregates": topics.AGGREGATES, "readings": topics.TELEMETRY}
_SECRET_IN = "FLEETPULSE_DATABASE_PASSWORD"  # noqa: S105 the variable's name, not a secret

_SETTINGS = {
    "pipeline.name": "fleetpulse archive",
    "pipeline.max-parallelism": "128",
    "execution.checkpointing.interval": "10 s",
    "restart-strategy.type": "exponential-delay",
    "restart-strategy.exponential-delay.attempts-before-reset-backoff": "2147483647",  # no limit, as by default
    "restart-strategy.exponential-delay.initial-backoff": "1 s",
    "restart-strategy.exponential-delay.max-backoff": "30 s",
    "restart-strategy.exponential-delay.reset-backoff-threshold": "2 min",
    # Readings cross to Python in batches; nobody waits for one here, so a batch may take its time to fill.
    "python.execution-mode": "process",
    "python.fn-execution.bundle.size": "20000",
    "python.fn-execution.bundle.time": "500",
    "python.fn-execution.arrow.batch.size": "20000",
    # A restore finds the Kafka offsets by these ids. The default ones shift with every added operator.
    **UID_GENERATION,
}

# What the Flink UI shows of aggregates and readings, by the ids of operators. Alerts have the ids they always had.
OPERATOR_NAMES = {
    "archive-aggregates-0-kafka": "aggregates",
    "archive-aggregates-1-calc": "columns of aggregates",
    "archive-aggregates-2-sink": "write aggregates",
    "archive-readings-0-kafka": "readings",
    "archive-readings-1-calc": "origin of each reading",
    "archive-readings-2-python-calc": "decode, in batches",
    "archive-readings-3-calc": "batches only",
    "archive-readings-4-sink": "write readings",
}

# What the driver should do where the URL does not say otherwise: many rows a statement, and no waiting for ever.
_DRIVER = {
    "ApplicationName": "fleetpulse-archive",
    "reWriteBatchedInserts": "true",
    "connectTimeout": "10",
    "socketTimeout": "60",
}


def configuration(checkpoint_dir: str, parallelism: int) -> Configuration:
    """Return the settings the job runs with, whatever the cluster's own are."""
    settings = Configuration()
    for key, value in _SETTINGS.items():
        settings.set_string(key, value)
    settings.set_string("execution.checkpointing.dir", checkpoint_dir)
    settings.set_integer("parallelism.default", parallelism)
    return settings


@dataclass(frozen=True, slots=True)
class Plan:
    """What is archived: topics by kind, in the order of `_KINDS`; and where it goes: `url`, `user` and `password`."""

    bootstrap_servers: str
    topics: Mapping[str, tuple[str, ...]]
    sink: Mapping[str, str]
    max_future_skew_ms: int


def assemble(environment: StreamExecutionEnvironment, plan: Plan) -> None:
    """Attach the whole job to `environment`: for each kind a source, a sink and the statement between them."""
    tables = StreamTableEnvironment.create(environment)
    for kind in plan.topics:
        _KINDS[kind](tables, plan)
    number_operators_by_stream(environment, OPERATOR_NAMES)


def _archive_alerts(tables: StreamTableEnvironment, plan: Plan) -> None:
    [topic] = plan.topics["alerts"]
    tables.get_config().set("table.exec.uid.format", "archive-<transformation>")
    tables.execute_sql(statement("archive_source", topic=topic, bootstrap_servers=plan.bootstrap_servers))
    tables.execute_sql(statement("archive_sink", **plan.sink))
    _insert(tables, statement("archive_insert", topic=topic))


def _archive_aggregates(tables: StreamTableEnvironment, plan: Plan) -> None:
    name_operators(tables, "archive-aggregates")
    _define(tables, plan, "aggregates")
    _insert(tables, statement("archive_aggregates_insert"))


def _archive_readings(tables: StreamTableEnvironment, plan: Plan) -> None:
    name_operators(tables, "archive-readings")
    to_readings = udf(ToReadings(plan.max_future_skew_ms), result_type=DataTypes.STRING(), func_type="pandas")
    tables.create_temporary_function("to_readings", to_readings)
    _define(tables, plan, "readings")
    _insert(tables, statement("archive_readings_insert"))


_KINDS: dict[str, Callable[[StreamTableEnvironment, Plan], None]] = {
    "alerts": _archive_alerts,
    "aggregates": _archive_aggregates,
    "readings": _archive_readings,
}


def _define(tables: StreamTableEnvironment, plan: Plan, kind: str) -> None:
    read = {"topics": ";".join(plan.topics[kind]), "bootstrap_servers": plan.bootstrap_servers}
    tables.execute_sql(statement(f"archive_{kind}_source", **read))
    tables.execute_sql(statement(f"archive_{kind}_sink", **plan.sink))


def _insert(tables: StreamTableEnvironment, insert: str) -> None:
    statements = tables.create_statement_set()
    statements.add_insert_sql(insert)
    statements.attach_as_datastream()


def _jdbc_url(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if not value.startswith("jdbc:postgresql:"):
        raise click.BadParameter(f"{value!r} should look like jdbc:postgresql://host:5432/monitoring")
    address, _, properties = value.partition("?")
    return f"{address}?{urlencode(_DRIVER | dict(parse_qsl(properties)))}"


def _password(file: Path | None) -> str:
    if file is not None:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    if (password := os.environ.get(_SECRET_IN)) is not None:
        return password
    raise click.UsageError(f"no database password: set {_SECRET_IN}, or name a file with --database.password.file")


def _kinds(_context: click.Context, _option: click.Parameter, value: str) -> tuple[str, ...]:
    asked = [part.strip() for part in value.split(",")]
    if len(set(asked)) < len(asked) or not _KINDS.keys() >= set(asked):
        raise click.BadParameter(f"{value!r} is not a list of {', '.join(_KINDS)}, separated by commas")
    return tuple(kind for kind in _KINDS if kind in asked)


def plan(arguments: Mapping[str, Any]) -> Plan:
    """The plan that the command line asks for."""
    of_kind = {kind: arguments[f"{kind}_topics"] for kind in arguments["kinds"]}
    sink = {name: arguments[name] for name in ("url", "user")} | {"password": _password(arguments["password_file"])}
    return Plan(arguments["bootstrap_servers"], of_kind, sink, arguments["max_future_skew_ms"])


def _prepare_topics(job: Plan) -> None:
    """Make the topics that are missing: of two kinds one must not wait for the other's."""
    wanted = [replace(_AS_MADE[kind], name=name) for kind, names in job.topics.items() for name in names]
    ensure_topics(job.bootstrap_servers, wanted)


@click.command(context_settings=arguments.CONTEXT)
@bootstrap_servers
@click.option(
    "--archive",
    "kinds",
    default="alerts,aggregates",
    callback=_kinds,
    help="What to archive: any of alerts, aggregates and readings, separated by commas.",
)
@click.option(
    "--alerts.topic",
    "alerts_topics",
    default="alerts",
    callback=lambda *given: (topic_name(*given),),
    help="Topic of alerts.",
)
@click.option(
    "--aggregates.topic",
    "aggregates_topics",
    default="telemetry.agg.1m",
    callback=arguments.topic_names,
    help="Topics of aggregates, separated by ';'.",
)
@click.option(
    "--events.topic",
    "readings_topics",
    default="telemetry.raw",
    callback=arguments.topic_names,
    help="Topics of readings, separated by ';'.",
)
@arguments.milliseconds("max.future.skew", 60_000, 0, DAY_MS, "How far a time may be ahead of the Kafka timestamp")
@click.option(
    "--database.url",
    "url",
    default="jdbc:postgresql://localhost:5432/monitoring",
    callback=_jdbc_url,
    help="JDBC URL of the database that `fleetpulse database migrate` prepared.",
)
@click.option("--database.user", "user", default="alert_writer", help="Who writes.")
@click.option(
    "--database.password.file",
    "password_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"File that holds the password. Without it {_SECRET_IN} does; it never comes by the command line.",
)
@arguments.checkpoint_dir
@arguments.parallelism
@arguments.check
def command(checkpoint_dir: str, parallelism: int, check: bool, **values: Any) -> None:
    """Write alerts, aggregates and readings from Kafka into PostgreSQL or TimescaleDB, once."""
    job = plan(values)
    if check:
        return
    environment = StreamExecutionEnvironment.get_execution_environment(configuration(checkpoint_dir, parallelism))
    _prepare_topics(job)
    assemble(environment, job)
    environment.execute(_SETTINGS["pipeline.name"])


if __name__ == "__main__":
    sys.exit(run(command))
