"""`fleetpulse index`: writes every raw record to a search index, if Vector does not do it."""

import logging
import signal
import sys
from dataclasses import dataclass, replace

import click

from fleetpulse import topics
from fleetpulse.cli import parameters
from fleetpulse.cli.commandline import run
from fleetpulse.cli.connections import brokers, named, schema_registry_if_any, search_server
from fleetpulse.cli.parameters import CONTEXT, Matching, Url, max_future_skew
from fleetpulse.cli.settings import setting, takes
from fleetpulse.kafka.broker import reach
from fleetpulse.kafka.schema_registry import sensor_readings
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.search.fill import Reading, consumer_of, fill
from fleetpulse.search.server import SearchServer

TOPICS = ("events", "telemetry.raw", "sensor-data")  # those in JSON
INDEX = "sensor_readings"
_WAYS = "give --search.url, or add one to this folder's stack with `fleetpulse stack up --with search`"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The topics to index, and the search server."""

    bootstrap_servers: str = brokers()
    events_topics: tuple[str, ...] = parameters.topics(TOPICS, "Topics to read, separated by ';'.")
    search_url: str | None = search_server(Url(r"https?://[^\s/]+/?", "is no URL like http://127.0.0.1:9200"))
    index: str = setting(
        "search.index",
        Matching("[a-z0-9][a-z0-9_.-]{0,200}", "is no name of an index: lower case letters, digits, _, . and -"),
        "Index to write to.",
        default=INDEX,
    )
    registry_url: str | None = schema_registry_if_any()
    max_future_skew_ms: int = max_future_skew()


@click.command("index", context_settings=CONTEXT)
@takes(Settings)
def command(settings: Settings) -> None:
    """Write records to a search index as they come, until Ctrl-C. One that runs again goes on where it ended."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("kafka").setLevel(logging.WARNING)  # else every connection
    server = SearchServer(named(settings.search_url, "search server", _WAYS), settings.index)
    servers = reach(settings.bootstrap_servers)
    ensure_topics(servers, [replace(topics.TELEMETRY, name=name) for name in settings.events_topics])
    consumer = consumer_of(servers, settings.events_topics)
    reading = Reading(settings.max_future_skew_ms, sensor_readings(settings.registry_url))
    read = rejected = refused = 0
    try:
        for outcome in fill(consumer, server, reading):
            read, rejected, refused = read + outcome.read, rejected + outcome.rejected, refused + outcome.refused
    finally:
        consumer.close()
        click.echo(
            f"{read:,} records read, {rejected:,} of them no readings; {refused:,} refused by the server", err=True
        )


if __name__ == "__main__":
    sys.exit(run(command))
