"""The way out, shared by the jobs: one transactional sink for alerts, late and rejected records."""

from dataclasses import dataclass

from pyflink.datastream import DataStream
from pyflink.table import StreamTableEnvironment

from fleetpulse.shard.outputs import OutputTopics
from jobs.wiring.operators import name_operators
from sql import statement

TRANSACTION_TIMEOUT_MS = 900_000  # above the longest gap between checkpoints, not above the broker's maximum


@dataclass(frozen=True, slots=True)
class Sink:
    """Where records go.

    `name` and `run` name the transactions: of this job, and of one run of it, which may restart. A sink aborts what
    it finds open under its own name, or the one in the state that it starts from; so a run that has lost its topics to
    a newer one, and starts again in vain, leaves the newer one's transactions alone.
    """

    bootstrap_servers: str
    name: str
    run: str
    delivery: str


def write_outputs(tables: StreamTableEnvironment, decided: DataStream, output_topics: OutputTopics, sink: Sink) -> None:
    """Send what was decided to its topics, in transactions that commit with the checkpoints."""
    name_operators(tables, "outputs")
    tables.create_temporary_view("decided", tables.from_data_stream(decided))
    tables.execute_sql(
        statement(
            "outputs",
            topics=";".join(output_topics.topics),
            bootstrap_servers=sink.bootstrap_servers,
            delivery=sink.delivery,
            transactional_id_prefix=f"fleetpulse-{sink.name}-{sink.run}",
            transaction_timeout_ms=str(TRANSACTION_TIMEOUT_MS),
        )
    )
    statements = tables.create_statement_set()
    statements.add_insert_sql(statement("outputs_write"))
    statements.attach_as_datastream()
