"""`fleetpulse generate`: arguments in, scenario out."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from fleetpulse.cli.parameters import Duration, Instant, bootstrap_servers, schema_registry, topic_name
from fleetpulse.errors import ConfigurationError, FleetpulseError
from fleetpulse.kafka.schema_registry import Registry
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.records.avro import SCHEMA
from fleetpulse.topics import EVENTS, SENSOR_RAW, TELEMETRY
from generator.options import COUNT, SHARE, metrics_options, option
from generator.run import Outcome, run
from generator.scenario import MAX_DEVICES, MAX_DRIFT_PER_DAY, Dialect, Scenario
from generator.sending.metrics import Address

SENSOR_DATA = replace(TELEMETRY, name="sensor-data")
_TOPICS = {
    Dialect.EVENT: EVENTS,
    Dialect.TELEMETRY: TELEMETRY,
    Dialect.SENSOR: SENSOR_DATA,
    Dialect.TYPED: TELEMETRY,
    Dialect.MIXED: TELEMETRY,
    Dialect.AVRO: SENSOR_RAW,
}
_VARIABLES = {TELEMETRY.name: "TELEMETRY_TOPIC", SENSOR_DATA.name: "SENSOR_TOPIC"}


class _TopicOption(click.Option):
    """An option that may also come from the variable that names the dialect's usual topic."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        variable = _VARIABLES.get(_TOPICS[Dialect(ctx.params["dialect"])].name, "")
        return os.environ.get(variable) or super().resolve_envvar_value(ctx)


@click.command("generate")
@bootstrap_servers
@option(
    "--topic",
    callback=topic_name,
    cls=_TopicOption,
    show_default="events, sensor-data for sensor, sensor.raw for avro, telemetry.raw for all else",
    help="Topic to fill; made where missing. TELEMETRY_TOPIC or SENSOR_TOPIC where it is theirs.",
)
@option("--num.devices", aliases=("SENSOR_COUNT",), type=click.IntRange(1, MAX_DEVICES), default=10, help="Devices.")
@option(
    "--event.interval.ms",
    aliases=("SENSOR_INTERVAL",),
    type=Duration("ms", positive=True),
    default="10",
    help="Between two readings of one device: ms, or with a unit as in 2s.",
)
@option("--duration.seconds", type=Duration("s"), default="60", help="Live part: seconds, or with a unit as in 10m.")
@option("--failure.probability", type=SHARE, default=0.1, help="Of a device to fall silent, in every five timeouts.")
@option(
    "--rate",
    type=click.FloatRange(0),
    help="Records a second over the whole fleet, instead of the interval. 0: all as history that ends now, flat out.",
)
@option("--seed", type=COUNT, default=1, help="The same seed and start make the same records.")
@option(
    "--dialect",
    type=click.Choice([d.value for d in Dialect]),
    default="event",
    is_eager=True,  # the topic depends on it
    help="Shape of the values. mixed: all of them, by turns among the devices.",
)
@schema_registry
@option("--backfill", type=Duration("s"), default="0", help="History before the live part, at full speed, as in 10m.")
@option(
    "--start",
    type=Instant(),
    help="First reading, instead of now: epoch ms or ISO 8601. What is past goes out at once.",
)
@option("--truth", type=click.Path(path_type=Path, dir_okay=False), help="File for the alerts that must result.")
@option("--site-outage.seconds", type=Duration("s"), default="0", help="Silence of one site in every ten timeouts.")
@option("--out-of-order.rate", type=SHARE, default=0.0, help="Share of records delayed within the bound.")
@option(
    "--late.rate",
    type=SHARE,
    default=0.0,
    help="Share of records delayed beyond the bound, all of them from every fifth device.",
)
@option("--duplicate.rate", type=SHARE, default=0.0, help="Share of records sent twice.")
@option("--malformed.rate", type=SHARE, default=0.0, help="Share of records that must be rejected.")
@option("--spike.rate", type=SHARE, default=0.0, help="Share of readings whose values are far out.")
@option(
    "--stuck.probability", type=SHARE, default=0.0, help="Of a device to repeat its values, in every five timeouts."
)
@option(
    "--drift.per-day",
    type=click.FloatRange(0, MAX_DRIFT_PER_DAY),
    default=0.0,
    help="How far a device's values may drift in a day; 1 is from the usual to the critical value.",
)
@option("--warning.share", type=SHARE, default=0.15, help="Share of a sensor's values near its warning threshold.")
@option("--critical.share", type=SHARE, default=0.05, help="Share of a sensor's values near or above the critical one.")
@option("--located.share", type=SHARE, default=0.0, help="Share of telemetry devices that tell their position.")
@option("--clock-ahead.devices", type=COUNT, default=0, help="Devices whose clock is 24 h ahead.")
@option("--clock-behind.devices", type=COUNT, default=0, help="Devices whose clock is 24 h behind.")
@option("--out-of-orderness.ms", type=Duration("ms"), default="2000", help="The job's bound, for delays and truth.")
@option("--timeout.seconds", type=Duration("s", positive=True), default="60", help="The job's timeout, for the truth.")
@option(
    "--evaluation-period.seconds",
    type=Duration("s", positive=True),
    default="30",
    help="The job's evaluation period, for the truth.",
)
@metrics_options
def command(bootstrap_servers: str, schema_registry_url: str, **options: Any) -> int | None:
    """Simulate a fleet into Kafka, with faults, and write down which alerts must result."""
    usual = _TOPICS[Dialect(options["dialect"])]
    topic = replace(usual, name=options["topic"] or usual.name)
    _check(options)
    scenario_of(options)  # what contradicts itself must not wait for Kafka
    if Dialect(options["dialect"]) is Dialect.AVRO:
        options["schema_id"] = Registry(schema_registry_url).register(f"{topic.name}-value", SCHEMA)
    outcome = run(
        lambda: scenario_of(options),
        bootstrap_servers,
        topic.name,
        lambda: ensure_topics(bootstrap_servers, [topic]),
        options["truth"],
        metrics=Address(options["metrics_host"], options["metrics_port"]),
    )
    return report(outcome, topic.name)


def scenario_of(options: dict[str, Any]) -> Scenario:
    """Make the scenario of the command's options; a run without `--start` lasts from or until now.

    Raises:
        ConfigurationError: they contradict each other.
    """
    devices, rate = options["num_devices"], options["rate"]
    live_ms, backfill_ms = int(options["duration_seconds"]), int(options["backfill"])
    history_ms = backfill_ms + (live_ms if rate == 0 else 0)
    return Scenario(
        seed=options["seed"],
        devices=devices,
        interval_ms=devices * 1000 / rate if rate else options["event_interval_ms"],
        start_ms=options["start"] or int(time.time() * 1000) - history_ms,
        duration_ms=backfill_ms + live_ms,
        dialect=Dialect(options["dialect"]),
        failure_probability=options["failure_probability"],
        site_outage_ms=int(options["site_outage_seconds"]),
        out_of_order_rate=options["out_of_order_rate"],
        late_rate=options["late_rate"],
        duplicate_rate=options["duplicate_rate"],
        malformed_rate=options["malformed_rate"],
        clock_ahead_devices=options["clock_ahead_devices"],
        clock_behind_devices=options["clock_behind_devices"],
        timeout_ms=int(options["timeout_seconds"]),
        schema_id=options.get("schema_id", 1),
        period_ms=int(options["evaluation_period_seconds"]),
        bound_ms=int(options["out_of_orderness_ms"]),
        spike_rate=options["spike_rate"],
        stuck_probability=options["stuck_probability"],
        drift_per_day=options["drift_per_day"],
        warning_share=options["warning_share"],
        critical_share=options["critical_share"],
        located_share=options["located_share"],
    )


def _check(options: dict[str, Any]) -> None:
    if options["start"] and options["backfill"]:
        raise ConfigurationError("--start and --backfill exclude each other: an early --start is a history")
    if options["start"] and options["start"] > time.time() * 1000:
        raise ConfigurationError("--start lies in the future")


def report(outcome: Outcome, topic: str) -> int | None:
    """Say what came of a simulation, with the rate achieved; return the exit code.

    Raises:
        FleetpulseError: not everything was acknowledged.
    """
    rate = outcome.acknowledged / outcome.seconds if outcome.seconds else 0.0
    sentence = f"{outcome.acknowledged:,} records acknowledged in {topic}, {outcome.seconds:.1f} s, {rate:,.0f}/s"
    click.echo(f"interrupted: {sentence}" if outcome.interrupted else sentence)
    if outcome.failed:
        failure = FleetpulseError(f"{outcome.failed:,} records were not acknowledged: {outcome.first_failure}")
        if not outcome.interrupted:
            raise failure
        click.echo(str(failure), err=True)
    return 130 if outcome.interrupted else None
