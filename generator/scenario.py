"""A scenario: the frozen description that determines every record and every expected alert."""

from dataclasses import dataclass
from enum import Enum

from fleetpulse.errors import ConfigurationError
from generator.fleet.factory import Sensor

MAX_DEVICES = 1 << 24  # more would share their chance, see generator.plan
ENDLESS_MS = 1 << 55  # a million years: until it is stopped
MAX_DRIFT_PER_DAY = 1_000
LATE_EVERY = 5  # only each fifth device is ever late, so that the outcome of the others is certain


class Dialect(Enum):
    """The shape of a record's value, by the names of docs/contracts.md."""

    EVENT = "event"
    TELEMETRY = "telemetry"
    SENSOR = "sensor"
    TYPED = "typed"
    MIXED = "mixed"  # all JSON dialects on one topic, each device with one of them for ever
    AVRO = "avro"


_MIXED = (Dialect.EVENT, Dialect.TELEMETRY, Dialect.SENSOR, Dialect.TYPED)


@dataclass(frozen=True)
class Scenario:
    """A fleet, its time span and its faults. Equal scenarios make equal bytes.

    Rates are shares of records (0-1), each record has at most one fault. Devices with a wrong clock have no other fault
    than silence. Times are epoch milliseconds, UTC.
    """

    seed: int
    devices: int
    interval_ms: float  # between two readings of one device
    start_ms: int
    duration_ms: int
    dialect: Dialect = Dialect.EVENT
    failure_probability: float = 0.0  # of a device, in every five timeouts; a fifth of it: never to return
    site_outage_ms: int = 0  # how long a site is silent, once in every ten timeouts; 0 for no outage
    out_of_order_rate: float = 0.0
    late_rate: float = 0.0  # over the fleet, so five times that among the devices that are late at times
    duplicate_rate: float = 0.0
    malformed_rate: float = 0.0
    clock_ahead_devices: int = 0  # the last ones of the fleet
    clock_behind_devices: int = 0  # those before them
    timeout_ms: int = 60_000
    period_ms: int = 30_000  # between two evaluations
    schema_id: int = 1  # of values in Avro
    bound_ms: int = 2_000  # how far a record may be out of order and still be on time
    spike_rate: float = 0.0  # share of readings whose values are far out, alone
    stuck_probability: float = 0.0  # the chance that a device repeats its values for a while, in every five timeouts
    drift_per_day: float = (
        0.0  # of each device's values, at most; 1 is the distance from the usual to the critical value
    )
    warning_share: float = 0.15  # of the sensor dialect's values: how many lie near the warning threshold
    critical_share: float = 0.05  # and how many near or above the critical one
    located_share: float = 0.0  # of devices of the telemetry dialect: how many report their position
    sensors: tuple[Sensor, ...] = ()  # the sensors of the sensor dialect; generated if empty

    def __post_init__(self) -> None:
        """Check fields against each other.

        Raises:
            ConfigurationError: the fields contradict each other.
        """
        total = self.out_of_order_rate + LATE_EVERY * self.late_rate + self.duplicate_rate + self.malformed_rate
        wrong_clocks = self.clock_ahead_devices + self.clock_behind_devices
        checks = (
            (0 < self.devices <= MAX_DEVICES, f"a fleet has 1 to {MAX_DEVICES} devices, not {self.devices}"),
            (self.interval_ms > 0, f"the interval between readings must be more than 0, not {self.interval_ms} ms"),
            (self.duration_ms > 0, "nothing to send: duration and backfill are both 0"),
            (self.timeout_ms > 0 and self.period_ms > 0, "timeout and evaluation period must be more than 0"),
            (
                total <= 1,
                f"the rates of out-of-order, late (times 5), duplicate and malformed add up to {total:g}, more than 1",
            ),
            (wrong_clocks <= self.devices, f"{wrong_clocks} devices with a wrong clock in a fleet of {self.devices}"),
            (self.site_outage_ms < 10 * self.timeout_ms, "a site outage must be shorter than ten timeouts"),
            (0 <= self.drift_per_day <= MAX_DRIFT_PER_DAY, f"a drift must be 0 to {MAX_DRIFT_PER_DAY} a day"),
            (self.warning_share + self.critical_share <= 1, "the shares of warning and critical add up to more than 1"),
        )
        for fine, otherwise in checks:
            if not fine:
                raise ConfigurationError(otherwise)

    @property
    def end_ms(self) -> int:
        """The first instant without readings."""
        return self.start_ms + self.duration_ms

    @property
    def dialects(self) -> tuple[Dialect, ...]:
        """The dialects in use; devices take them in turns, by their numbers."""
        return _MIXED if self.dialect is Dialect.MIXED else (self.dialect,)

    def dialect_of(self, device: int) -> Dialect:
        """The dialect of `device`."""
        return self.dialects[device % len(self.dialects)]
