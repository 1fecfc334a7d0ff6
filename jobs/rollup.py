"""The rollup job: coarser windows, by site or by device, from the aggregates of finer ones; SQL from end to end.

    flink run -py jobs/rollup.py -pyfs build/fleetpulse.zip --by site --window 1h

A window is written once the aggregates of a later one have come: nobody says that it is over while the fleet is silent.
"""

import sys
from dataclasses import replace
from typing import Any

import click
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from fleetpulse import topics
from fleetpulse.cli.commandline import run
from fleetpulse.cli.parameters import bootstrap_servers, topic_name
from fleetpulse.durations import parse
from fleetpulse.errors import ConfigurationError
from fleetpulse.kafka.topics import ensure_topics
from jobs.wiring import arguments
from jobs.wiring.operators import UID_GENERATION
from jobs.wiring.outputs import TRANSACTION_TIMEOUT_MS
from sql import statement

_SETTINGS = {
    "pipeline.name": "fleetpulse rollup",
    "pipeline.max-parallelism": "128",
    "execution.checkpointing.interval": "10 s",
    "restart-strategy.type": "exponential-delay",
    "table.local-time-zone": "UTC",
    **UID_GENERATION,
    # The ids are numbered by the process, which translates this one statement and nothing else.
    "table.exec.uid.format": "rollup-<id>-<transformation>",
}


def configuration(given: dict[str, Any]) -> Configuration:
    """The settings the job runs with, whatever the cluster's own are."""
    settings = Configuration()
    for key, value in _SETTINGS.items():
        settings.set_string(key, value)
    settings.set_string("execution.checkpointing.dir", given["checkpoint_dir"])
    settings.set_integer("parallelism.default", given["parallelism"])
    return settings


def sink_topic(given: dict[str, Any]) -> str:
    """The topic of the coarser windows, which unless it is given is named by what they are of."""
    return str(given["rollup_topic"] or f"telemetry.agg.{given['by']}.{given['window']}")


def build(tables: StreamTableEnvironment, given: dict[str, Any]) -> None:
    """Define the two tables and start the statement between them."""
    servers, topic = given["bootstrap_servers"], sink_topic(given)
    tables.execute_sql(
        statement(
            "rollup_source",
            topic=given["aggregates_topic"],
            bootstrap_servers=servers,
            group=f"fleetpulse-rollup-{topic}",
            bounded="latest-offset" if given["bounded"] else "unbounded",
            bound=arguments.interval(given["out_of_orderness_ms"]),
        )
    )
    tables.execute_sql(
        statement(
            f"rollup_sink_{given['by']}",
            topic=topic,
            bootstrap_servers=servers,
            transaction_timeout_ms=str(TRANSACTION_TIMEOUT_MS),
            transactional_id_prefix=f"fleetpulse-rollup-{topic}",
        )
    )
    width_ms = parse(given["window"])
    tables.execute_sql(statement(f"rollup_insert_{given['by']}", width=arguments.interval(width_ms)))


@click.command(context_settings=arguments.CONTEXT)
@bootstrap_servers
@click.option(
    "--aggregates.topic",
    "aggregates_topic",
    callback=topic_name,
    default=topics.AGGREGATES.name,
    help="Topic of the finer aggregates.",
)
@click.option("--by", type=click.Choice(["site", "device"]), default="site", help="What is summed up together.")
@click.option("--window", type=click.Choice(["10m", "1h", "1d"]), default="1h", help="Width of the coarser windows.")
@click.option(
    "--rollup.topic",
    "rollup_topic",
    callback=topic_name,
    help="Topic for the coarser windows.  [default: telemetry.agg., what they are of, and the width]",
)
@arguments.milliseconds("out.of.orderness", 120_000, 0, 86_400_000, "How far finer windows may be out of order")
@arguments.checkpoint_dir
@arguments.parallelism
@click.option("--bounded", is_flag=True, help="Read up to the present end of the topic, write all windows, and end.")
@arguments.check
def command(check: bool, **given: Any) -> None:
    """Sum up aggregates in coarser windows, by site or by device."""
    if sink_topic(given) == given["aggregates_topic"]:
        raise ConfigurationError(f"--rollup.topic: {sink_topic(given)!r} is the topic of --aggregates.topic too")
    if check:
        return
    wanted = [given["aggregates_topic"], sink_topic(given)]
    ensure_topics(given["bootstrap_servers"], [replace(topics.AGGREGATES, name=name) for name in wanted])
    environment = StreamExecutionEnvironment.get_execution_environment(configuration(given))
    build(StreamTableEnvironment.create(environment), given)


if __name__ == "__main__":
    sys.exit(run(command))
