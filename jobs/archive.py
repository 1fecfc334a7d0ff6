"""The archive job: every alert revision from the topic into the database, once, without a line of Python at run time.

    flink run -py jobs/archive.py -pyfs build/fleetpulse.zip --database.url jdbc:postgresql://localhost:5432/monitoring

When the database goes away the sink throws, and the job restarts with growing delays, without a limit, and reads again
from its last checkpoint. Repeats are harmless: the ingest view keeps each revision once. Where rows were waiting to be
written, Flink's JDBC connector also throws while it is closed, which ends its TaskManager, once an outage: a supervisor
has to start it again, and what else runs there restarts with it.
"""

import os
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import click
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from clients.commandline import run
from clients.parameters import bootstrap_servers
from jobs import arguments
from sql import statement

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
    # A restore finds the Kafka offsets by these ids. The default ones shift with every added operator.
    "table.exec.uid.generation": "ALWAYS",
    "table.exec.uid.format": "archive-<transformation>",
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


def build(tables: StreamTableEnvironment, source: dict[str, str], sink: dict[str, str]) -> None:
    """Define the two tables and start the statement between them.

    Args:
        tables: where to define them.
        source: `topic` and `bootstrap_servers`.
        sink: `url`, `user` and `password`.
    """
    tables.execute_sql(statement("archive_source", **source))
    tables.execute_sql(statement("archive_sink", **sink))
    tables.execute_sql(statement("archive_insert", topic=source["topic"]))


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


@click.command(context_settings=arguments.CONTEXT)
@bootstrap_servers
@click.option("--alerts.topic", "topic", default="alerts", help="Topic to archive.")
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
def command(
    bootstrap_servers: str,
    topic: str,
    url: str,
    user: str,
    password_file: Path | None,
    checkpoint_dir: str,
    parallelism: int,
    check: bool,
) -> None:
    """Write every alert from Kafka into PostgreSQL or TimescaleDB, once."""
    source = {"topic": topic, "bootstrap_servers": bootstrap_servers}
    sink = {"url": url, "user": user, "password": _password(password_file)}
    if not check:
        environment = StreamExecutionEnvironment.get_execution_environment(configuration(checkpoint_dir, parallelism))
        build(StreamTableEnvironment.create(environment), source, sink)


if __name__ == "__main__":
    sys.exit(run(command))
