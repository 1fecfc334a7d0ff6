"""`fleetpulse sensors`: one sensor of a factory, or one of each type, as somebody there would start them."""

import heapq
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from operator import attrgetter
from typing import Any
from zlib import crc32

import click

from fleetpulse.cli.parameters import Duration, bootstrap_servers, matching, topic_name
from fleetpulse.errors import ConfigurationError
from fleetpulse.kafka.topics import ensure_topics
from generator.cli import SENSOR_DATA, report
from generator.fleet.factory import KINDS, Sensor
from generator.options import metrics_options, option
from generator.payloads.records import Record
from generator.payloads.stream import Observer, records
from generator.run import run
from generator.scenario import ENDLESS_MS, Dialect, Scenario
from generator.sending.metrics import Address

_KINDS = {kind.name: kind for kind in KINDS}
_INTERVALS = ", ".join(f"{kind.name} {kind.interval_ms // 1000} s" for kind in KINDS)
_name = matching(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,128}", "is no name: 1-128 characters, none that controls")


@click.command("sensors")
@bootstrap_servers
@option("--topic", aliases=("SENSOR_TOPIC",), callback=topic_name, default=SENSOR_DATA.name, help="Topic to fill.")
@option("--sensor.id", aliases=("SENSOR_ID",), callback=_name, show_default="by type", help="Who it is, with a type.")
@option(
    "--sensor.type",
    aliases=("SENSOR_TYPE",),
    type=click.Choice(list(_KINDS)),
    show_default="one of each",
    help="What it measures.",
)
@option(
    "--sampling.interval",
    aliases=("SAMPLING_INTERVAL",),
    type=Duration("s", positive=True),
    show_default=_INTERVALS,
    help="Between two readings: seconds, or with a unit as in 500ms.",
)
@option("--factory.section", aliases=("FACTORY_SECTION",), callback=_name, default="section-00", help="Its site.")
@option("--machine.id", aliases=("MACHINE_ID",), callback=_name, default="machine-00-000", help="Its machine.")
@option("--zone", aliases=("ZONE",), callback=_name, default="A", help="Its zone.")
@option(
    "--duration.seconds",
    type=Duration("s", positive=True),
    show_default="until interrupted",
    help="How long: seconds, or with a unit as in 10m.",
)
@metrics_options
def command(bootstrap_servers: str, topic: str, **options: Any) -> int | None:
    """Play sensors of a factory into Kafka, each at the pace of its type."""
    sensors = sensors_of(options)
    duration_ms = int(options["duration_seconds"] or ENDLESS_MS)
    outcome = run(
        lambda: Scenario(
            seed=0,
            devices=len(sensors),
            interval_ms=min(sensor.kind.interval_ms for sensor in sensors),
            start_ms=int(time.time() * 1000),
            duration_ms=duration_ms,
            dialect=Dialect.SENSOR,
            sensors=sensors,
        ),
        bootstrap_servers,
        topic,
        lambda: ensure_topics(bootstrap_servers, [replace(SENSOR_DATA, name=topic)]),
        stream=each_at_its_pace,
        metrics=Address(options["metrics_host"], options["metrics_port"]),
    )
    return report(outcome, topic)


def sensors_of(options: dict[str, Any]) -> tuple[Sensor, ...]:
    """Make the sensors of the command's options.

    Raises:
        ConfigurationError: several would have one id.
    """
    named, kinds = options["sensor_id"], [_KINDS[options["sensor_type"]]] if options["sensor_type"] else KINDS
    if named and len(kinds) > 1:
        raise ConfigurationError("--sensor.id names one sensor: say its --sensor.type as well")
    location = options["factory_section"], options["machine_id"], options["zone"]
    interval_ms = options["sampling_interval"]
    return tuple(
        Sensor(named or f"{kind.name}-sensor-1", kind._replace(interval_ms=interval_ms or kind.interval_ms), *location)
        for kind in kinds
    )


def each_at_its_pace(fleet: Scenario, truth: Observer | None, stopped: Callable[[], bool]) -> Iterator[Record]:
    """Yield the records of a fleet of sensors, each with the interval of its kind and with chance of its own."""
    single = (
        replace(fleet, seed=crc32(one.sensor_id.encode()), devices=1, interval_ms=one.kind.interval_ms, sensors=(one,))
        for one in fleet.sensors
    )
    streams = [records(scenario, truth, stopped) for scenario in single]
    for record in heapq.merge(*streams, key=attrgetter("send_ms")):
        if stopped():  # the merge holds a record of each, not due yet
            return
        yield record
