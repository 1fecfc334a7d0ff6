"""`battery`: a threshold of the metric `battery`."""

from collections.abc import Iterator

from msgspec import field

from fleetpulse.durations import DurationMs
from fleetpulse.rules.evidence import Check, Fields, limit_checks
from fleetpulse.rules.faults import levels_faults, negative
from fleetpulse.rules.kinds.threshold import ThresholdEvaluator, describe_value
from fleetpulse.rules.levels import LevelChange, Levels, Limits
from fleetpulse.rules.rule import Fault, FollowingRule
from fleetpulse.rules.sentences import measured


class Battery(FollowingRule, frozen=True, kw_only=True, tag="battery"):
    """A battery below a limit: a threshold of the metric `battery`."""

    below: Levels
    hysteresis: float = 0.0
    hold: DurationMs = field(default_factory=DurationMs, name="for")

    @property
    def metric(self) -> str:
        """The metric that its alerts are about."""
        return "battery"

    def faults(self, path: str) -> Iterator[Fault]:
        """What is wrong with its limits."""
        yield from negative(f"{path}.hysteresis", self.hysteresis)
        yield from levels_faults(f"{path}.below", self.below, rising=False)

    def evaluator(self, index: int) -> ThresholdEvaluator:
        """What follows its metric."""
        return ThresholdEvaluator(index, self.metric, self._limits(), self.hold)

    def _limits(self) -> Limits:
        return Limits.of(None, self.below, self.hysteresis)

    def describe(self, change: LevelChange) -> str:
        """The value, the limit, and how long."""
        return describe_value(self, change, False, self.hysteresis)

    def describe_recovery(self, change: LevelChange) -> str:
        """The value."""
        return f"{self.metric} is back within its limits at {measured(change, self.unit)}"

    def checks(self, revision: Fields) -> Iterator[Check]:
        """Whether the value is beyond the limit."""
        return limit_checks(revision, self._limits())
