"""The alerts that must result, computed from what was generated and not by any job's code.

A device is alive at the seen times of its records. It is inactive at an evaluation instant T, a multiple of the period,
when T - last seen time > timeout, counting seen times < T. The first such T opens an alert, the next seen time ends it.
So whether a silence is an alert follows from its two ends alone, and nothing is decided instant by instant.

A clock that is ahead is so for good, and by more than any bound. So its alert opens at the second instant before which,
and after the one before, the device was heard.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple
from uuid import NAMESPACE_DNS, UUID, uuid5

from generator.fleet.chance import mix
from generator.fleet.plan import Fault, Reading
from generator.payloads.malformed import choose
from generator.scenario import Scenario

_NAMESPACE = uuid5(NAMESPACE_DNS, "fleetpulse.alerts")


def identity(rule_id: str, device_id: str, opened_at_ms: int) -> UUID:
    """Return the id that docs/contracts.md gives an alert."""
    return uuid5(_NAMESPACE, f"{rule_id}\n{device_id}\n{opened_at_ms}")


class Revision(NamedTuple):
    """One expected revision of one alert; times are epoch ms."""

    device_id: str
    revision: int
    state: str
    opened_at_ms: int
    changed_at_ms: int
    rule_id: str = "inactivity"  # or "clock"

    @property
    def alert_id(self) -> UUID:
        """The identity that docs/contracts.md gives the alert."""
        return identity(self.rule_id, self.device_id, self.opened_at_ms)


class Truth:
    """Follows a fleet's heartbeats and reports each expected revision as soon as it is certain.

    Memory: one entry a device, and one more for each whose outcome depends on the order of arrival.

    Attributes:
        sent: records generated, duplicates counted.
        rejected: of those, how many must be rejected, by reason.
        order_dependent: devices whose outcome depends on when their records arrive.
        taken_until_ms: when the last reading was taken, epoch ms.
    """

    def __init__(self, scenario: Scenario, tell: Callable[[Revision], object]) -> None:
        self.sent = 0
        self.rejected: Counter[str] = Counter()
        self.order_dependent: set[str] = set()
        self.taken_until_ms = scenario.start_ms
        self._scenario = scenario
        self._tell = tell
        self._deadlines: dict[str, int] = {}  # the first instant at which the device is inactive if it stays silent
        self._clocks: dict[str, int | None] = {}  # the first instant after a wrong time; None once there is an alert

    def observe(self, reading: Reading) -> None:
        """Take in a reading. They come in the order in which they were taken, however late they are sent."""
        fault, device_id, time_ms = reading.fault, reading.device_id, reading.time_ms
        self.sent += 1
        self.taken_until_ms = time_ms
        if fault is Fault.NONE or fault is Fault.OUT_OF_ORDER:
            self.alive(device_id, time_ms)
        elif fault is Fault.DUPLICATE:
            self.sent += 1
            self.alive(device_id, time_ms)
        elif fault is Fault.LATE:
            self.order_dependent.add(device_id)
            self.alive(device_id, time_ms)
        elif fault is Fault.CLOCK_AHEAD:
            self.rejected["future_timestamp"] += 1
            self.alive(device_id, time_ms)
            self._wrong_clock(device_id, time_ms)
        elif fault is Fault.CLOCK_BEHIND:
            self._always_late(device_id, time_ms)
        else:
            dialect = self._scenario.dialect_of(reading.device)
            kind = choose(dialect, mix(reading.noise))
            self.rejected[kind.reason] += 1
            if kind.is_heartbeat:
                self.alive(device_id, time_ms)

    def alive(self, device_id: str, life_ms: int) -> None:
        """Take in a heartbeat at `life_ms` (epoch ms). A device's come in ascending order."""
        deadline = self._deadlines.get(device_id)
        if deadline is not None and life_ms >= deadline:
            self._tell(Revision(device_id, 1, "open", deadline, deadline))
            self._tell(Revision(device_id, 2, "recovered", deadline, life_ms))
        scenario = self._scenario
        period = scenario.period_ms
        self._deadlines[device_id] = ((life_ms + scenario.timeout_ms) // period + 1) * period

    def close(self, until_ms: int) -> None:
        """Tell the alerts that are open at `until_ms` (epoch ms), the last instant that counts. Nothing comes after."""
        for device_id, deadline in self._deadlines.items():
            if deadline <= until_ms:
                self._tell(Revision(device_id, 1, "open", deadline, deadline))

    def _wrong_clock(self, device_id: str, time_ms: int) -> None:
        period = self._scenario.period_ms
        instant = (time_ms // period + 1) * period
        first = self._clocks.setdefault(device_id, instant)
        if first is not None and first < instant:
            self._clocks[device_id] = None
            self._tell(Revision(device_id, 1, "open", instant, instant, "clock"))

    def _always_late(self, device_id: str, time_ms: int) -> None:
        # It is inactive at the first instant after it became known, and never recovers: its lag exceeds the timeout.
        self.order_dependent.add(device_id)
        period = self._scenario.period_ms
        self._deadlines.setdefault(device_id, (time_ms // period + 1) * period)
