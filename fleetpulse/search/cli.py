"""`fleetpulse index`: every raw record into a search index, where Vector does not do it."""

import logging
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace

import click

from fleetpulse import topics
from fleetpulse.cli.commandline import run
from fleetpulse.cli.parameters import bootstrap_servers, matching, schema_registry_if_any
from fleetpulse.durations import DAY_MS
from fleetpulse.kafka.schema_registry import Registry
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.records.avro import SensorReadings
from fleetpulse.search.fill import Reading, consumer_of, fill
from fleetpulse.search.server import SearchServer
from jobs.wiring.arguments import CONTEXT, milliseconds, topic_names

TOPICS = ("events", "telemetry.raw", "sensor-data")  # those in JSON
INDEX = "sensor_readings"


@click.command("index", context_settings=CONTEXT)
@bootstrap_servers
@click.option(
    "--events.topic",
    "events_topics",
    default=";".join(TOPICS),
    callback=topic_names,
    help="Topics to read, separated by ';'.",
)
@click.option(
    "--search.url",
    "search_url",
    default="http://127.0.0.1:9200",
    envvar="FLEETPULSE_SEARCH_URL",
    callback=matching(r"https?://[^\s/]+/?", "is no URL like http://127.0.0.1:9200"),
    show_envvar=True,
    help="OpenSearch or Elasticsearch.",
)
@click.option(
    "--search.index",
    "index",
    default=INDEX,
    callback=matching("[a-z0-9][a-z0-9_.-]{0,200}", "is no name of an index: lower case letters, digits, _, . and -"),
    help="Index to write to.",
)
@schema_registry_if_any
@milliseconds("max.future.skew", 60_000, 0, DAY_MS, "How far a time may be ahead of the Kafka timestamp")
def command(
    bootstrap_servers: str,
    events_topics: Sequence[str],
    search_url: str,
    index: str,
    schema_registry_url: str | None,
    max_future_skew_ms: int,
) -> None:
    """Write records to a search index as they come, until Ctrl-C. One that runs again goes on where it ended."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("kafka").setLevel(logging.WARNING)  # else every connection
    avro = SensorReadings(Registry(schema_registry_url).schema) if schema_registry_url else None
    ensure_topics(bootstrap_servers, [replace(topics.TELEMETRY, name=name) for name in events_topics])
    consumer = consumer_of(bootstrap_servers, events_topics)
    read = rejected = refused = 0
    try:
        for outcome in fill(consumer, SearchServer(search_url, index), Reading(max_future_skew_ms, avro)):
            read, rejected, refused = read + outcome.read, rejected + outcome.rejected, refused + outcome.refused
    finally:
        consumer.close()
        click.echo(
            f"{read:,} records read, {rejected:,} of them no readings; {refused:,} refused by the server", err=True
        )


if __name__ == "__main__":
    sys.exit(run(command))
