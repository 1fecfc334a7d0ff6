"""The alerts about values that must result, computed from what was generated and not by any job's code.

Only readings on time count: a late one goes to another topic, a rejected one to the dead letters. They count in the
order in which they were taken. A severity is reached at one reading and left at another; nothing is decided in between.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from generator.fleet.plan import Fault, Reading
from generator.payloads.dialects import meter
from generator.scenario import Scenario
from generator.truth.alerts import identity

ON_TIME = {Fault.NONE: 1, Fault.OUT_OF_ORDER: 1, Fault.DUPLICATE: 2}
"""How often a reading counts; one with another fault does not."""

ORDER_DEPENDENT = frozenset({Fault.LATE, Fault.CLOCK_BEHIND})
"""Whether such a reading is late depends on when the records of other devices arrive."""


class Limit(NamedTuple):
    """A value strictly beyond a limit, for at least `for_ms`, until it is back by `hysteresis`."""

    rule_id: str
    metric: str
    warning: float | None = None
    critical: float | None = None
    above: bool = True  # or below
    hysteresis: float = 0.0
    for_ms: int = 0


class Rate(NamedTuple):
    """A value that changes by more than a limit in `per_ms`, up or down, since the last reading of an earlier time."""

    rule_id: str
    metric: str
    warning: float | None = None
    critical: float | None = None
    per_ms: int = 60_000
    for_ms: int = 0


class Stuck(NamedTuple):
    """A value that for at least `for_ms` stays within `tolerance` of what it was at first."""

    rule_id: str
    metric: str
    for_ms: int
    tolerance: float = 0.0
    severity: str = "warning"


Rule = Limit | Rate | Stuck


class ValueRevision(NamedTuple):
    """One expected revision of one alert; times are epoch ms. One that ends it has the last severity it had."""

    rule_id: str
    device_id: str
    revision: int
    state: str
    severity: str
    opened_at_ms: int
    changed_at_ms: int

    @property
    def alert_id(self) -> UUID:
        """The identity that docs/contracts.md gives the alert."""
        return identity(self.rule_id, self.device_id, self.opened_at_ms)


class ValueTruth:
    """Follows the values of a fleet and tells each expected revision at the reading that makes it.

    Memory: a few numbers a device and rule.

    Attributes:
        order_dependent: devices whose outcome depends on when their records arrive; theirs is not told for certain.
    """

    def __init__(self, scenario: Scenario, rules: Sequence[Rule], tell: Callable[[ValueRevision], object]) -> None:
        self.order_dependent: set[str] = set()
        self._rules, self._tell, self._measure = rules, tell, meter(scenario)
        self._watched: dict[tuple[str, str], tuple[_Watch, _Alert]] = {}

    def observe(self, reading: Reading) -> None:
        """Take in a reading. They come in the order in which they were taken, however late they are sent."""
        if reading.fault in ON_TIME:
            self.measured(reading.device_id, reading.time_ms, self._measure(reading))
        elif reading.fault in ORDER_DEPENDENT:
            self.order_dependent.add(reading.device_id)

    def measured(self, device_id: str, time_ms: int, metrics: Mapping[str, float]) -> None:
        """Take in what a device measured at `time_ms` (epoch ms). A device's readings come in ascending order."""
        for rule in self._rules:
            value = metrics.get(rule.metric)
            if value is None:
                continue
            key = rule.rule_id, device_id
            if key not in self._watched:
                self._watched[key] = _watch(rule), _Alert(*key, self._tell)
            watch, alert = self._watched[key]
            alert.step(time_ms, watch.severity(time_ms, value))


class _Watch(Protocol):
    def severity(self, time_ms: int, value: float) -> str | None:
        """What a reading's value amounts to, given those before it."""


def _watch(rule: Rule) -> _Watch:
    if isinstance(rule, Stuck):
        return _Unchanged(rule)
    return _Beyond(rule) if isinstance(rule, Limit) else _Change(rule)


class _Beyond:
    """Since when the value is beyond each limit. Beyond the critical one is beyond the warning one as well."""

    def __init__(self, rule: Limit) -> None:
        self._sign = 1 if rule.above else -1
        named = (("warning", rule.warning), ("critical", rule.critical))
        self._limits = [(severity, self._sign * limit) for severity, limit in named if limit is not None]
        self._hysteresis, self._for_ms = rule.hysteresis, rule.for_ms
        self._since: dict[str, int] = {}

    def severity(self, time_ms: int, value: float) -> str | None:
        counted = None
        for severity, limit in self._limits:
            if self._sign * value > limit:
                self._since.setdefault(severity, time_ms)
            elif self._sign * value <= limit - self._hysteresis:
                self._since.pop(severity, None)
            if severity in self._since and time_ms - self._since[severity] >= self._for_ms:
                counted = severity
        return counted


class _Change:
    """The last reading, and the last one of an earlier time."""

    def __init__(self, rule: Rate) -> None:
        self._per_ms = rule.per_ms
        self._beyond = _Beyond(Limit(rule.rule_id, rule.metric, rule.warning, rule.critical, for_ms=rule.for_ms))
        self._earlier: tuple[int, float] | None = None
        self._last: tuple[int, float] | None = None

    def severity(self, time_ms: int, value: float) -> str | None:
        if self._last is not None and self._last[0] < time_ms:
            self._earlier = self._last
        self._last = time_ms, value
        if self._earlier is None:
            return None
        before_ms, before = self._earlier
        return self._beyond.severity(time_ms, abs(value - before) / (time_ms - before_ms) * self._per_ms)


class _Unchanged:
    """When the run began, and with which value."""

    def __init__(self, rule: Stuck) -> None:
        self._rule = rule
        self._began: tuple[int, float] | None = None

    def severity(self, time_ms: int, value: float) -> str | None:
        if self._began is None or abs(value - self._began[1]) > self._rule.tolerance:
            self._began = time_ms, value
            return None
        return self._rule.severity if time_ms - self._began[0] >= self._rule.for_ms else None


class _Alert:
    """The life of a device's alerts of one rule, one after the other."""

    def __init__(self, rule_id: str, device_id: str, tell: Callable[[ValueRevision], object]) -> None:
        self._rule_id, self._device_id, self._tell = rule_id, device_id, tell
        self._severity: str | None = None
        self._revision = self._opened_at_ms = 0

    def step(self, time_ms: int, severity: str | None) -> None:
        before = self._severity
        if severity == before:
            return
        self._severity = severity
        if before is None:
            self._revision, self._opened_at_ms, state = 0, time_ms, "open"
        else:
            state = "updated" if severity else "recovered"
        self._revision += 1
        last = severity or before or ""
        self._tell(
            ValueRevision(self._rule_id, self._device_id, self._revision, state, last, self._opened_at_ms, time_ms)
        )
