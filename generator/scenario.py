"""What is simulated: one frozen description from which every record and every expected alert follows."""

from dataclasses import dataclass
from enum import Enum

from fleetpulse.errors import ConfigurationError

MAX_DEVICES = 1 << 24  # more would share their chance, see generator.plan
LATE_EVERY = 5  # only each fifth device is ever late, so that what becomes of the others can be told for certain


class Dialect(Enum):
    """The shape of a record's value, by the names of docs/contracts.md."""

    EVENT = "event"
    TELEMETRY = "telemetry"
    AVRO = "avro"


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

    def __post_init__(self) -> None:
        """Check what the single fields cannot tell.

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
        )
        for fine, otherwise in checks:
            if not fine:
                raise ConfigurationError(otherwise)

    @property
    def end_ms(self) -> int:
        """The first instant without readings."""
        return self.start_ms + self.duration_ms
