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

import click
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import DataTypes, StreamTableEnvironment
from pyflink.table.udf import udf

from fleetpulse import topics
from fleetpulse.cli import parameters
from fleetpulse.cli.commandline import run
from fleetpulse.cli.connections import Address, brokers, named, schema_registry_if_any
from fleetpulse.cli.database import DATABASE_WAYS, Database, jdbc, of_the_stack
from fleetpulse.cli.files import read_text
from fleetpulse.cli.parameters import CONTEXT, EXISTING_FILE, Topics, max_future_skew, separated, topic
from fleetpulse.cli.settings import group, setting, takes
from fleetpulse.errors import ConfigurationError
from fleetpulse.kafka.broker import reach
from fleetpulse.kafka.topics import ensure_topics
from jobs.wiring import running
from jobs.wiring.arguments import Running
from jobs.wiring.identity import identity
from jobs.wiring.operators import name_operators, number_operators_by_stream
from jobs.wiring.writers import Claim
from sql import statement
from udfs.archiving import ToReadings

# How a topic is made that is missing.
_AS_MADE = {"alerts": topics.ALERTS, "aggregates": topics.AGGREGATES, "readings": topics.TELEMETRY}
_ROLE = "alert_writer"
_NAMED_BY = {"alerts": "--alerts.topic", "aggregates": "--aggregates.topic", "readings": "--events.topic"}
_SECRET_IN = "FLEETPULSE_DATABASE_PASSWORD"  # noqa: S105 the variable's name, not a secret

# Readings cross to Python in batches; nobody waits for one here, so a batch may take its time to fill.
_BATCHES = {
    "python.fn-execution.bundle.size": 20_000,
    "python.fn-execution.bundle.time": 500,
    "python.fn-execution.arrow.batch.size": 20_000,
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


class Kinds(click.ParamType[tuple[str, ...]]):
    """What to archive, separated by `,` or `;`."""

    name = "kinds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Read what was given."""
        if isinstance(value, tuple):
            return value
        asked = separated(value)
        if len(set(asked)) < len(asked) or not _KINDS.keys() >= set(asked):
            self.fail(f"{value!r} is not a list of {', '.join(_KINDS)}, separated by commas", param, ctx)
        return tuple(kind for kind in _KINDS if kind in asked)

    def shown(self, kinds: tuple[str, ...]) -> str:
        """Kinds as people write them."""
        return ",".join(kinds)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the archive job may be given."""

    bootstrap_servers: str = brokers()
    kinds: tuple[str, ...] = setting(
        "archive",
        Kinds(),
        "What to archive: any of alerts, aggregates and readings, separated by commas.",
        default=("alerts", "aggregates"),
    )
    alerts_topic: str = topic("alerts", "alerts", "Topic of alerts.")
    aggregates_topics: tuple[str, ...] = setting(
        "aggregates.topic", Topics(), "Topics of aggregates, separated by ';'.", default=("telemetry.agg.1m",)
    )
    readings_topics: tuple[str, ...] = parameters.topics(("telemetry.raw",), "Topics of readings, separated by ';'.")
    registry_url: str | None = schema_registry_if_any()
    max_future_skew_ms: int = max_future_skew()
    database_url: str | None = setting(
        "database.url",
        Database(keywords=False),
        "Database that `fleetpulse database migrate` prepared: postgresql:// or jdbc:postgresql://.",
        **of_the_stack(),
    )
    user: str | None = setting(
        "database.user", click.STRING, "Role that writes.  [default: that of the URL, or alert_writer]"
    )
    password_file: Path | None = setting(
        "database.password.file",
        EXISTING_FILE,
        f"File that holds the password; without it {_SECRET_IN} does, or the folder's stack. It never comes by the "
        "command line.",
    )
    running: Running = group(Running)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is archived: topics by kind, in the order of `_KINDS`; and where it goes: `url`, `user` and `password`."""

    bootstrap_servers: str
    topics: Mapping[str, tuple[str, ...]]
    sink: Mapping[str, str]
    max_future_skew_ms: int
    registry_url: str | None
    identity: str
    claim: Claim
    flink: Mapping[str, str]


def plan(settings: Settings, password: str) -> Plan:
    """The plan of these settings.

    Raises:
        ConfigurationError: the database's URL holds a password.
    """
    url = named(settings.database_url, "database", DATABASE_WAYS)
    try:
        database = jdbc(url, _DRIVER)
    except ValueError as bad:
        raise ConfigurationError(f"--database.url: {bad}: use --database.password.file or {_SECRET_IN}") from None
    all_topics = {
        "alerts": (settings.alerts_topic,),
        "aggregates": settings.aggregates_topics,
        "readings": settings.readings_topics,
    }
    sink = {"url": database.url, "user": settings.user or database.user or _ROLE, "password": password}
    topics_of = {kind: all_topics[kind] for kind in settings.kinds}
    read = (topic for kind in topics_of for topic in topics_of[kind])
    where = database.url.partition("?")[0]
    of_job = identity("archive", *topics_of, *read, where)
    # Each topic has one writer into a database: two would block each other.
    places = {_NAMED_BY[kind]: f"{';'.join(names)} in {where}" for kind, names in topics_of.items()}
    claim = Claim(settings.bootstrap_servers, places)
    flink = running.configuration("fleetpulse archive", of_job, claim, settings.running, more=_BATCHES)
    return Plan(
        settings.bootstrap_servers,
        topics_of,
        sink,
        settings.max_future_skew_ms,
        settings.registry_url,
        of_job,
        claim,
        flink,
    )


def build(environment: StreamExecutionEnvironment, plan: Plan) -> None:
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
    decode = ToReadings(plan.max_future_skew_ms, plan.registry_url)
    to_readings = udf(decode, result_type=DataTypes.STRING(), func_type="pandas")
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


def _password(settings: Settings) -> str:
    if (file := settings.password_file) is not None:
        return read_text(file, "--database.password.file").rstrip("\r\n")
    if (password := os.environ.get(_SECRET_IN)) is not None:
        return password
    url = settings.database_url
    if isinstance(url, Address) and url.stack:
        return read_text(url.stack.secret(_ROLE), "--database.url").strip()
    raise ConfigurationError(f"no database password: set {_SECRET_IN}, or name a file with --database.password.file")


def _prepare_topics(job: Plan) -> None:
    """Make the topics that are missing: of two kinds one must not wait for the other's."""
    wanted = [replace(_AS_MADE[kind], name=name) for kind, names in job.topics.items() for name in names]
    ensure_topics(job.bootstrap_servers, wanted)


@click.command("archive", context_settings=CONTEXT)
@takes(Settings)
def command(settings: Settings) -> None:
    """Write alerts, aggregates and readings from Kafka into PostgreSQL or TimescaleDB, once."""
    job = plan(settings, _password(settings))
    if settings.running.check:
        click.echo(running.describe(job))
        return
    reach(job.bootstrap_servers)
    running.refuse_second(job.claim)
    _prepare_topics(job)
    running.submit(job, build)


if __name__ == "__main__":
    sys.exit(run(command))
