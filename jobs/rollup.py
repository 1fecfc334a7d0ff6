"""The rollup job: coarser windows, by site or by device, from the aggregates of finer ones; SQL from end to end.

    flink run -py jobs/rollup.py -pyfs build/fleetpulse.zip --by site --window 1h

A window is written once the aggregates of a later one have come: while the fleet is silent, it stays open.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import click
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from fleetpulse import topics
from fleetpulse.cli.commandline import run
from fleetpulse.cli.connections import brokers
from fleetpulse.cli.parameters import CONTEXT, milliseconds, topic
from fleetpulse.cli.settings import FLAG, group, setting, takes
from fleetpulse.durations import DAY_MS, parse
from fleetpulse.errors import ConfigurationError
from fleetpulse.kafka.broker import reach
from fleetpulse.kafka.topics import ensure_topics
from jobs.wiring import running
from jobs.wiring.arguments import Running, interval
from jobs.wiring.identity import identity
from jobs.wiring.outputs import TRANSACTION_TIMEOUT_MS
from jobs.wiring.writers import Claim
from sql import statement


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the rollup job may be given."""

    bootstrap_servers: str = brokers()
    aggregates_topic: str = topic("aggregates", topics.AGGREGATES.name, "Topic of the finer aggregates.")
    by: str = setting("by", click.Choice(["site", "device"]), "What is summed up together.", default="site")
    window: str = setting("window", click.Choice(["10m", "1h", "1d"]), "Width of the coarser windows.", default="1h")
    given_topic: str | None = topic(
        "rollup", None, "Topic for the coarser windows.  [default: telemetry.agg., what they are of, and the width]"
    )
    out_of_orderness_ms: int = milliseconds(
        "out.of.orderness", 120_000, 0, DAY_MS, "How far finer windows may be out of order."
    )
    bounded: bool = setting("bounded", FLAG, "Read up to the present end of the topic, write all windows, and end.")
    running: Running = group(Running)

    @property
    def rollup_topic(self) -> str:
        """The topic of the coarser windows, which unless it is given is named by what they are of."""
        return self.given_topic or f"telemetry.agg.{self.by}.{self.window}"


@dataclass(frozen=True, slots=True)
class Plan:
    """The job's identity, what it alone may write, and its statements in the order in which they are run."""

    statements: Sequence[str]
    identity: str
    claim: Claim
    flink: Mapping[str, str]


def plan(settings: Settings) -> Plan:
    """The plan of these settings."""
    name = f"fleetpulse-rollup-{settings.rollup_topic}"
    source = statement(
        "rollup_source",
        topic=settings.aggregates_topic,
        bootstrap_servers=settings.bootstrap_servers,
        group=name,
        bounded="latest-offset" if settings.bounded else "unbounded",
        bound=interval(settings.out_of_orderness_ms),
    )
    sink = statement(
        "rollup_sink",
        topic=settings.rollup_topic,
        bootstrap_servers=settings.bootstrap_servers,
        transaction_timeout_ms=str(TRANSACTION_TIMEOUT_MS),
        transactional_id_prefix=name,
    )
    sink_of_this = statement(f"rollup_sink_{settings.by}")
    insert = statement(f"rollup_insert_{settings.by}", width=interval(parse(settings.window)))
    # The ids are numbered by the process, which translates this one statement and nothing else.
    more = {"table.exec.uid.format": "rollup-<id>-<transformation>"}
    of_job = identity("rollup", settings.rollup_topic)
    claim = Claim(settings.bootstrap_servers, {"--rollup.topic": settings.rollup_topic})
    flink = running.configuration("fleetpulse rollup", of_job, claim, settings.running, more=more)
    return Plan((source, sink, sink_of_this, insert), of_job, claim, flink)


def build(environment: StreamExecutionEnvironment, plan: Plan) -> None:
    """Define the tables, and submit the statement between them."""
    tables = StreamTableEnvironment.create(environment)
    for sql in plan.statements:
        tables.execute_sql(sql)


@click.command("rollup", context_settings=CONTEXT)
@takes(Settings)
def command(settings: Settings) -> None:
    """Sum up aggregates in coarser windows, by site or by device."""
    wanted = [settings.aggregates_topic, settings.rollup_topic]
    if len(set(wanted)) < 2:
        raise ConfigurationError(f"--rollup.topic: {settings.rollup_topic!r} is the topic of --aggregates.topic too")
    job = plan(settings)
    if settings.running.check:
        click.echo(running.describe(job))
        return
    reach(settings.bootstrap_servers)
    running.refuse_second(job.claim)
    ensure_topics(settings.bootstrap_servers, [replace(topics.AGGREGATES, name=name) for name in wanted])
    build(running.environment(job.flink), job)


if __name__ == "__main__":
    sys.exit(run(command))
