"""`fleetpulse generate`: arguments in, scenario out."""

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import click

from fleetpulse.cli.connections import brokers, named, schema_registry, source_of
from fleetpulse.cli.parameters import (
    COUNT,
    INSTANT_FORMS,
    SHARE,
    TOPIC,
    Duration,
    Instant,
    Number,
    Whole,
)
from fleetpulse.cli.reachable import address_of, refusal
from fleetpulse.cli.settings import Setting, group, setting, takes
from fleetpulse.errors import ConfigurationError, FleetpulseError
from fleetpulse.kafka.schema_registry import Registry
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.records.avro import SCHEMA
from fleetpulse.topics import EVENTS, SENSOR_RAW, TELEMETRY
from generator.options import Metrics
from generator.run import Outcome, run
from generator.scenario import ENDLESS_MS, MAX_DEVICES, MAX_DRIFT_PER_DAY, Dialect, Scenario
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


class _TopicOption(Setting):
    """An option that may also come from the variable that names the dialect's usual topic."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        variable = _VARIABLES.get(_TOPICS[ctx.params["dialect"]].name, "")
        return os.environ.get(variable) or super().resolve_envvar_value(ctx)


_REGISTRY_WAYS = (
    "give --schema.registry.url, set SCHEMA_REGISTRY_URL, or add one to this folder's stack with "
    "`fleetpulse stack up --with registry`"
)
_FASTEST = 1e9  # records a second: far beyond any machine, and safe for arithmetic on intervals
_SLOWEST = 1e-6


class Rate(Number):
    """Records a second; 0 for as fast as possible."""

    def __init__(self) -> None:
        super().__init__(0, _FASTEST)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read what was given."""
        rate = super().convert(value, param, ctx)
        if 0 < rate < _SLOWEST:
            self.fail(f"{value!r} is neither 0 nor in the range {_SLOWEST:g}<=x<={_FASTEST:g}", param, ctx)
        return rate


class HowLong(Duration):
    """A duration, or `forever`: until it is stopped."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read what was given."""
        return ENDLESS_MS if value in ("forever", ENDLESS_MS) else super().convert(value, param, ctx)


class DialectChoice(click.Choice[str]):
    """One of the dialects."""

    def __init__(self) -> None:
        super().__init__([dialect.value for dialect in Dialect])

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Dialect:  # type: ignore[override]
        """Read what was given."""
        return value if isinstance(value, Dialect) else Dialect(super().convert(value, param, ctx))

    def shown(self, dialect: Dialect) -> str:
        """The dialect as people write it."""
        return dialect.value


def _share(name: str, help_: str, default: float = 0.0, aliases: tuple[str, ...] = ()) -> float:
    value: float = setting(name, SHARE, help_, default=default, aliases=aliases)
    return value


def _seconds(name: str, help_: str, default_ms: int, low_ms: int = 0, **former: tuple[str, ...]) -> int:
    value: int = setting(name, Duration("s", low_ms), help_, default=default_ms, **former)
    return value


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a simulation."""

    bootstrap_servers: str = brokers()
    topic: str | None = setting(
        "topic",
        TOPIC,
        "Topic to fill; made where missing. TELEMETRY_TOPIC or SENSOR_TOPIC where it is theirs.",
        cls=_TopicOption,
        show_default="events, sensor-data for sensor, sensor.raw for avro, telemetry.raw for all else",
    )
    devices: int = setting("num.devices", Whole(1, MAX_DEVICES), "Devices.", default=10, variables=("SENSOR_COUNT",))
    event_interval_ms: float = setting(
        "event.interval.ms",
        Duration("ms", 0.001, whole=False),
        "Between two readings of one device.",
        default=10,
        variables=("SENSOR_INTERVAL",),
    )
    duration_ms: int = setting(
        "duration.seconds", HowLong("s"), "How long the live part lasts; forever: until it is stopped.", default=60_000
    )
    failure_probability: float = _share(
        "failure.probability", "Chance that a device falls silent within each five timeouts.", 0.1
    )
    rate: float | None = setting(
        "rate",
        Rate(),
        "Records a second over the whole fleet, instead of the interval. 0: all as history that ends now, flat out.",
    )
    seed: int = setting("seed", COUNT, "The same seed and start make the same records.", default=1)
    dialect: Dialect = setting(
        "dialect",
        DialectChoice(),
        "Shape of the values. mixed: all of them, by turns among the devices.",
        default=Dialect.EVENT,
        is_eager=True,  # the topic depends on it
    )
    registry_url: str | None = schema_registry()
    backfill_ms: int = _seconds(
        "backfill.seconds",
        "History before the live part, at full speed.",
        0,
        aliases=("--backfill",),
        variables=("FLEETPULSE_BACKFILL",),
    )
    start_ms: int | None = setting(
        "start",
        Instant(),
        f"First reading, instead of now: {INSTANT_FORMS}. What is past goes out at once.",
    )
    truth: Path | None = setting(
        "truth", click.Path(path_type=Path, dir_okay=False), "File for the alerts that must result."
    )
    site_outage_ms: int = _seconds(
        "site.outage.seconds", "Silence of one site in every ten timeouts.", 0, aliases=("--site-outage.seconds",)
    )
    out_of_order_rate: float = _share(
        "out.of.order.rate", "Share of records delayed within the bound.", aliases=("--out-of-order.rate",)
    )
    late_rate: float = _share(
        "late.rate", "Share of records delayed beyond the bound, all of them from every fifth device."
    )
    duplicate_rate: float = _share("duplicate.rate", "Share of records sent twice.")
    malformed_rate: float = _share("malformed.rate", "Share of records that must be rejected.")
    spike_rate: float = _share("spike.rate", "Share of readings whose values are far out.")
    stuck_probability: float = _share(
        "stuck.probability", "Chance that a device repeats its values for a while within each five timeouts."
    )
    drift_per_day: float = setting(
        "drift.per.day",
        Number(0, MAX_DRIFT_PER_DAY),
        "How far a device's values may drift in a day; 1 is from the usual to the critical value.",
        default=0.0,
        aliases=("--drift.per-day",),
    )
    warning_share: float = _share("warning.share", "Share of a sensor's values near its warning threshold.", 0.15)
    critical_share: float = _share("critical.share", "Share of a sensor's values near or above the critical one.", 0.05)
    located_share: float = _share("located.share", "Share of telemetry devices that report their position.")
    clock_ahead_devices: int = setting(
        "clock.ahead.devices",
        COUNT,
        "Devices whose clock is 24 h ahead.",
        default=0,
        aliases=("--clock-ahead.devices",),
    )
    clock_behind_devices: int = setting(
        "clock.behind.devices",
        COUNT,
        "Devices whose clock is 24 h behind.",
        default=0,
        aliases=("--clock-behind.devices",),
    )
    out_of_orderness_ms: int = setting(
        "out.of.orderness.ms",
        Duration("ms"),
        "The job's bound, for delays and truth.",
        default=2_000,
        aliases=("--out-of-orderness.ms",),
    )
    timeout_ms: int = _seconds("timeout.seconds", "The job's timeout, for the truth.", 60_000, 1)
    evaluation_period_ms: int = _seconds(
        "evaluation.period.seconds",
        "The job's evaluation period, for the truth.",
        30_000,
        1,
        aliases=("--evaluation-period.seconds",),
    )
    metrics: Metrics = group(Metrics)


@click.command("generate")
@takes(Settings)
def command(settings: Settings) -> int | None:
    """Simulate a fleet into Kafka, with faults, and write down which alerts must result."""
    usual = _TOPICS[settings.dialect]
    topic = replace(usual, name=settings.topic or usual.name)
    _check(settings)
    scenario_of(settings)  # contradictions must be refused before waiting for Kafka
    outcome = run(
        lambda: scenario_of(settings, _schema_id(settings, topic.name)),
        settings.bootstrap_servers,
        topic.name,
        lambda: ensure_topics(settings.bootstrap_servers, [topic]),
        settings.truth,
        metrics=Address(settings.metrics.host, settings.metrics.port),
    )
    return report(outcome, topic.name)


def _schema_id(settings: Settings, topic: str) -> int:
    """The id of the schema of Avro values; any other dialect needs none.

    Raises:
        ConfigurationError: nothing names a registry, or none answers.
    """
    if settings.dialect is not Dialect.AVRO:
        return 1
    url = named(settings.registry_url, "schema registry", _REGISTRY_WAYS)
    if (why := refusal([address_of(url)])) is not None:
        raise ConfigurationError(f"no schema registry answers at {url}{source_of(url)}: {why}")
    return Registry(url).register(f"{topic}-value", SCHEMA)


def scenario_of(settings: Settings, schema_id: int = 1) -> Scenario:
    """Make the scenario of these settings; a run without `--start` lasts from or until now.

    Raises:
        ConfigurationError: they contradict each other.
    """
    devices, rate = settings.devices, settings.rate
    history_ms = settings.backfill_ms + (settings.duration_ms if rate == 0 else 0)
    endless = settings.duration_ms == ENDLESS_MS
    return Scenario(
        seed=settings.seed,
        devices=devices,
        interval_ms=devices * 1000 / rate if rate else settings.event_interval_ms,
        start_ms=settings.start_ms or int(time.time() * 1000) - history_ms,
        duration_ms=ENDLESS_MS if endless else settings.backfill_ms + settings.duration_ms,
        dialect=settings.dialect,
        failure_probability=settings.failure_probability,
        site_outage_ms=settings.site_outage_ms,
        out_of_order_rate=settings.out_of_order_rate,
        late_rate=settings.late_rate,
        duplicate_rate=settings.duplicate_rate,
        malformed_rate=settings.malformed_rate,
        clock_ahead_devices=settings.clock_ahead_devices,
        clock_behind_devices=settings.clock_behind_devices,
        timeout_ms=settings.timeout_ms,
        schema_id=schema_id,
        period_ms=settings.evaluation_period_ms,
        bound_ms=settings.out_of_orderness_ms,
        spike_rate=settings.spike_rate,
        stuck_probability=settings.stuck_probability,
        drift_per_day=settings.drift_per_day,
        warning_share=settings.warning_share,
        critical_share=settings.critical_share,
        located_share=settings.located_share,
    )


def _check(settings: Settings) -> None:
    if settings.rate == 0 and settings.duration_ms == ENDLESS_MS:
        raise ConfigurationError("--rate 0 sends a history that ends now: --duration.seconds cannot be forever")
    if settings.start_ms and settings.backfill_ms:
        raise ConfigurationError("--start and --backfill.seconds exclude each other: an early --start is a history")
    if settings.start_ms and settings.start_ms > time.time() * 1000:
        raise ConfigurationError("--start lies in the future")


def report(outcome: Outcome, topic: str) -> int | None:
    """Print the outcome of a simulation, with the achieved rate; return the exit code.

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
