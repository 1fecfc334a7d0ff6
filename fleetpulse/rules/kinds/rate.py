"""`rate`: a value that changes too fast."""

import sys
from collections.abc import Iterator

from msgspec import field

from fleetpulse.durations import DurationMs
from fleetpulse.frames.rows import Samples
from fleetpulse.numbers import exact
from fleetpulse.records.metrics import UNITS
from fleetpulse.rules.evaluator import Mask, OfOneMetric
from fleetpulse.rules.evidence import Check, Fields, limit_checks
from fleetpulse.rules.faults import levels_faults, not_positive
from fleetpulse.rules.levels import LevelChange, Levels, Limits
from fleetpulse.rules.rule import Fault, FollowingRule
from fleetpulse.rules.sentences import lasting, measured

_PERIODS = {1_000: "s", 60_000: "min", 3_600_000: "h"}


def _a_minute() -> DurationMs:
    return DurationMs(60_000)  # a factory, since msgspec has no schema for a default of our own type


class Rate(FollowingRule, frozen=True, kw_only=True, tag="rate"):
    """A value that changes by more than a limit a period, up or down, from one reading to the next."""

    metric: str
    above: Levels
    per: DurationMs = field(default_factory=_a_minute)
    hold: DurationMs = field(default_factory=DurationMs, name="for")

    @property
    def unit(self) -> str:
        """The metric's unit a period."""
        return f"{UNITS.get(self.metric, '')}/{_PERIODS.get(int(self.per), self.per)}"

    def faults(self, path: str) -> Iterator[Fault]:
        """What is wrong with its period and limits."""
        yield from not_positive(f"{path}.per", self.per)
        yield from levels_faults(f"{path}.above", self.above, positive=True)

    def evaluator(self, index: int) -> "RateEvaluator":
        """What follows its metric."""
        return RateEvaluator(index, self.metric, self._limits(), self.hold, self.per)

    def _limits(self) -> Limits:
        return Limits.of(self.above)

    def describe(self, change: LevelChange) -> str:
        """The change, the limit, and how long."""
        assert change.limit is not None
        much = f"{measured(change, self.unit)}, more than {exact(change.limit)}"
        return f"{self.metric} changes by {much}{lasting(change)}"

    def describe_recovery(self, change: LevelChange) -> str:  # noqa: ARG002
        """That it has calmed down."""
        return f"{self.metric} no longer changes too fast"

    def checks(self, revision: Fields) -> Iterator[Check]:
        """Whether the change is beyond the limit."""
        return limit_checks(revision, self._limits())


class RateEvaluator(OfOneMetric):
    """How fast a value changes, from one reading to the next."""

    arrays = "qd"  # time and value of the last reading
    defaults = (-1, 0.0)

    def __init__(self, rule: int, metric: str, limits: Limits, hold_ms: int, per_ms: int) -> None:
        super().__init__(rule, metric, limits, hold_ms)
        self._per_ms = per_ms

    def take(self, samples: Samples, mask: Mask, changes: list[LevelChange]) -> None:
        """Take the values."""
        last_ms, last, per_ms = *self.columns, self._per_ms
        runs, least = self.tracker.runs, self.tracker.limits.above[0]
        for row, time_ms, device, value in samples.each():
            before_ms = last_ms[device]
            if time_ms > before_ms:
                rate = min(abs(value - last[device]) * per_ms / (time_ms - before_ms), sys.float_info.max)
                if (rate > least or device in runs) and before_ms >= 0 and (mask is None or mask[device]):
                    self.tracker.step(row, device, time_ms, rate, changes)
                last_ms[device], last[device] = time_ms, value
