"""The cold storage job: every raw record into Parquet files, on a disk or in an object store, as it was.

    flink run -py jobs/cold.py -pyfs build/fleetpulse.zip --cold.path s3://bucket/raw

It parses nothing and runs no Python on the cluster. Files are finished with checkpoints, and each record is in one of
them once, across failures and savepoints. A job that is started anew, without a savepoint, writes everything again:
topic, partition and offset of each row identify repeats.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

import click
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from fleetpulse.cli import parameters
from fleetpulse.cli.commandline import run
from fleetpulse.cli.connections import brokers
from fleetpulse.cli.parameters import CONTEXT, Matching
from fleetpulse.cli.settings import group, setting, takes
from fleetpulse.kafka.broker import reach
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.topics import TELEMETRY
from jobs.wiring import running
from jobs.wiring.arguments import Running, checkpoint_interval
from jobs.wiring.identity import identity
from jobs.wiring.operators import name_operators, number_operators_by_stream
from jobs.wiring.writers import Claim
from sql import statement

# What the Flink UI shows, by the ids of operators.
OPERATOR_NAMES = {
    "cold-0-kafka": "records",
    "cold-1-calc": "day and hour of each record",
    "cold-2-streaming-writer": "write Parquet",
    "cold-2-discarding-sink": "end",
}


@dataclass(frozen=True, kw_only=True)
class Seldom(Running):
    """How the job runs: a file is finished with each checkpoint, so checkpoints are seldom."""

    checkpoint_interval_ms: int = checkpoint_interval(
        300_000, 3_600_000, "Time between checkpoints, and so how much goes into a file."
    )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the cold storage job may be given."""

    bootstrap_servers: str = brokers()
    topics: tuple[str, ...] = parameters.topics((TELEMETRY.name,), "Topics to keep, separated by ';'.")
    path: str = setting(
        "cold.path",
        Matching("[a-z][a-z0-9]*://?[^?#]+", "is no URI such as file:///var/cold or s3://bucket/raw"),
        "Folder for the files: a URI that every Flink process reaches.",
        required=True,
    )
    running: Seldom = group(Seldom)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is kept, and where."""

    bootstrap_servers: str
    topics: tuple[str, ...]
    path: str
    identity: str
    claim: Claim
    flink: Mapping[str, str]


def plan(settings: Settings) -> Plan:
    """The plan of these settings."""
    of_job = identity("cold", settings.path)
    claim = Claim(settings.bootstrap_servers, {"--cold.path": settings.path})
    flink = running.configuration("fleetpulse cold storage", of_job, claim, settings.running)
    return Plan(settings.bootstrap_servers, settings.topics, settings.path, of_job, claim, flink)


def build(environment: StreamExecutionEnvironment, plan: Plan) -> None:
    """Attach the whole job to `environment`."""
    tables = StreamTableEnvironment.create(environment)
    name_operators(tables, "cold")
    read = {"topics": ";".join(plan.topics), "bootstrap_servers": plan.bootstrap_servers}
    tables.execute_sql(statement("cold_source", **read))
    tables.execute_sql(statement("cold_sink", path=plan.path))
    statements = tables.create_statement_set()
    statements.add_insert_sql(statement("cold_insert"))
    statements.attach_as_datastream()
    number_operators_by_stream(environment, OPERATOR_NAMES)


@click.command("cold", context_settings=CONTEXT)
@takes(Settings)
def command(settings: Settings) -> None:
    """Keep every raw record as Parquet, by day and hour."""
    job = plan(settings)
    if settings.running.check:
        click.echo(running.describe(job))
        return
    reach(settings.bootstrap_servers)
    running.refuse_second(job.claim)
    ensure_topics(settings.bootstrap_servers, [replace(TELEMETRY, name=name) for name in settings.topics])
    running.submit(job, build)


if __name__ == "__main__":
    sys.exit(run(command))
