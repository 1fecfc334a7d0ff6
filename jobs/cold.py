"""The cold storage job: every raw record into Parquet files, on a disk or in an object store, as it was.

    flink run -py jobs/cold.py -pyfs build/fleetpulse.zip --cold.path s3://bucket/raw

It parses nothing and runs no Python on the cluster. Files are finished with checkpoints, and each record is in one of
them once, across failures and savepoints. A job that is started anew, without a savepoint, writes everything again:
topic, partition and offset of each row tell repeats apart.
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from fleetpulse import topics
from fleetpulse.cli.commandline import run
from fleetpulse.cli.parameters import bootstrap_servers, matching
from fleetpulse.kafka.topics import ensure_topics
from jobs.wiring import arguments
from jobs.wiring.operators import UID_GENERATION, name_operators, number_operators_by_stream
from sql import statement

_NAME = "fleetpulse cold storage"

# What the Flink UI shows, by the ids of operators.
OPERATOR_NAMES = {
    "cold-0-kafka": "records",
    "cold-1-calc": "day and hour of each record",
    "cold-2-streaming-writer": "write Parquet",
    "cold-2-discarding-sink": "end",
}


def configuration(arguments: Mapping[str, Any]) -> Configuration:
    """Return the settings the job runs with, whatever the cluster's own are."""
    values = {
        "pipeline.max-parallelism": 128,
        "parallelism.default": arguments["parallelism"],
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        "execution.checkpointing.interval": f"{arguments['checkpoint_interval_ms']} ms",
        "execution.checkpointing.dir": arguments["checkpoint_dir"],
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        # A store that is away comes back: no limit, as for the archive.
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.attempts-before-reset-backoff": 2147483647,
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "30 s",
        "table.local-time-zone": "UTC",
        **UID_GENERATION,
    }
    settings = Configuration()
    for key, value in values.items():
        settings.set_string(key, str(value))
    return settings


def assemble(environment: StreamExecutionEnvironment, arguments: Mapping[str, Any]) -> None:
    """Attach the whole job to `environment`."""
    tables = StreamTableEnvironment.create(environment)
    name_operators(tables, "cold")
    read = {"topics": ";".join(arguments["events_topics"]), "bootstrap_servers": arguments["bootstrap_servers"]}
    tables.execute_sql(statement("cold_source", **read))
    tables.execute_sql(statement("cold_sink", path=arguments["path"]))
    statements = tables.create_statement_set()
    statements.add_insert_sql(statement("cold_insert"))
    statements.attach_as_datastream()
    number_operators_by_stream(environment, OPERATOR_NAMES)


@click.command(context_settings=arguments.CONTEXT)
@bootstrap_servers
@click.option(
    "--events.topic",
    "events_topics",
    default="telemetry.raw",
    callback=arguments.topic_names,
    help="Topics to keep, separated by ';'.",
)
@click.option(
    "--cold.path",
    "path",
    required=True,
    callback=matching("[a-z][a-z0-9]*://?[^?#]+", "is no URI such as file:///var/cold or s3://bucket/raw"),
    help="Folder for the files: a URI that every Flink process reaches.",
)
@arguments.checkpoint_dir
@arguments.milliseconds(
    "checkpoint.interval", 300_000, 100, 3_600_000, "Time between checkpoints, and so how much goes into a file"
)
@arguments.parallelism
@arguments.check
def command(check: bool, **values: Any) -> None:
    """Keep every raw record as Parquet, by day and hour."""
    if check:
        return
    environment = StreamExecutionEnvironment.get_execution_environment(configuration(values))
    ensure_topics(
        values["bootstrap_servers"], [replace(topics.TELEMETRY, name=name) for name in values["events_topics"]]
    )
    assemble(environment, values)
    environment.execute(_NAME)


if __name__ == "__main__":
    sys.exit(run(command))
