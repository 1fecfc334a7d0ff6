"""`fleetpulse sensors`: one sensor of a factory, or one of each type, as somebody there would start them."""

import heapq
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from zlib import crc32

import click

from fleetpulse.cli.connections import brokers
from fleetpulse.cli.parameters import TOPIC, Duration, Matching
from fleetpulse.cli.settings import group, setting, takes
from fleetpulse.errors import ConfigurationError
from fleetpulse.kafka.topics import ensure_topics
from generator.cli import SENSOR_DATA, report
from generator.fleet.factory import KINDS, Sensor
from generator.options import Metrics
from generator.payloads.records import Record
from generator.payloads.stream import Observer, records
from generator.run import run
from generator.scenario import ENDLESS_MS, Dialect, Scenario
from generator.sending.metrics import Address

_KINDS = {kind.name: kind for kind in KINDS}
_INTERVALS = ", ".join(f"{kind.name} {kind.interval_ms // 1000} s" for kind in KINDS)
_NAME = Matching(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,128}", "is no name: 1-128 characters, none that controls")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which sensors speak, how often and for how long."""

    bootstrap_servers: str = brokers()
    topic: str = setting("topic", TOPIC, "Topic to fill.", default=SENSOR_DATA.name, variables=("SENSOR_TOPIC",))
    sensor_id: str | None = setting(
        "sensor.id", _NAME, "Id of the sensor; needs its type.", show_default="by type", variables=("SENSOR_ID",)
    )
    sensor_type: str | None = setting(
        "sensor.type",
        click.Choice(list(_KINDS)),
        "What it measures.",
        show_default="one of each",
        variables=("SENSOR_TYPE",),
    )
    sampling_interval_ms: int | None = setting(
        "sampling.interval.seconds",
        Duration("s", 1),
        "Between two readings.",
        show_default=_INTERVALS,
        aliases=("--sampling.interval",),
        variables=("SAMPLING_INTERVAL", "FLEETPULSE_SAMPLING_INTERVAL"),
    )
    factory_section: str = setting(
        "factory.section", _NAME, "Its site.", default="section-00", variables=("FACTORY_SECTION",)
    )
    machine_id: str = setting("machine.id", _NAME, "Its machine.", default="machine-00-000", variables=("MACHINE_ID",))
    zone: str = setting("zone", _NAME, "Its zone.", default="A", variables=("ZONE",))
    duration_ms: int | None = setting(
        "duration.seconds", Duration("s", 1), "How long they speak.", show_default="until interrupted"
    )
    metrics: Metrics = group(Metrics)


@click.command("sensors")
@takes(Settings)
def command(settings: Settings) -> int | None:
    """Play sensors of a factory into Kafka, each at the pace of its type."""
    sensors = sensors_of(settings)
    outcome = run(
        lambda: Scenario(
            seed=0,
            devices=len(sensors),
            interval_ms=min(sensor.kind.interval_ms for sensor in sensors),
            start_ms=int(time.time() * 1000),
            duration_ms=settings.duration_ms or ENDLESS_MS,
            dialect=Dialect.SENSOR,
            sensors=sensors,
        ),
        settings.bootstrap_servers,
        settings.topic,
        lambda: ensure_topics(settings.bootstrap_servers, [replace(SENSOR_DATA, name=settings.topic)]),
        stream=each_at_its_pace,
        metrics=Address(settings.metrics.host, settings.metrics.port),
    )
    return report(outcome, settings.topic)


def sensors_of(settings: Settings) -> tuple[Sensor, ...]:
    """Make the sensors of these settings.

    Raises:
        ConfigurationError: several would have one id.
    """
    named, kinds = settings.sensor_id, [_KINDS[settings.sensor_type]] if settings.sensor_type else KINDS
    if named and len(kinds) > 1:
        raise ConfigurationError("--sensor.id names one sensor: say its --sensor.type as well")
    location = settings.factory_section, settings.machine_id, settings.zone
    interval_ms = settings.sampling_interval_ms
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
