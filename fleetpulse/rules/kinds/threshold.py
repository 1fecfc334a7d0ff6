"""`threshold`: a value beyond a limit."""

import math
from collections.abc import Iterator

from msgspec import field

from fleetpulse.durations import DurationMs
from fleetpulse.frames.rows import Samples
from fleetpulse.numbers import exact, number
from fleetpulse.rules.evaluator import Mask, OfOneMetric
from fleetpulse.rules.evidence import Check, Fields, limit_checks
from fleetpulse.rules.faults import levels_faults, negative
from fleetpulse.rules.levels import NONE, LevelChange, Levels, Limits
from fleetpulse.rules.rule import Fault, FollowingRule
from fleetpulse.rules.sentences import lasting, measured
from fleetpulse.times import iso


class Threshold(FollowingRule, frozen=True, kw_only=True, tag="threshold"):
    """A value beyond a limit for as long as `for` says; `hysteresis` is how far it has to come back."""

    metric: str
    above: Levels | None = None
    below: Levels | None = None
    hysteresis: float = 0.0
    hold: DurationMs = field(default_factory=DurationMs, name="for")

    def faults(self, path: str) -> Iterator[Fault]:
        """What is wrong with its limits."""
        yield from negative(f"{path}.hysteresis", self.hysteresis)
        if self.above is None and self.below is None:
            yield path, "expected `above`, `below` or both"
        if self.above is not None:
            yield from levels_faults(f"{path}.above", self.above)
        if self.below is not None:
            yield from levels_faults(f"{path}.below", self.below, rising=False)
        if self.above and self.below:
            yield from _overlap(path, self.above, self.below)

    def mistakes(self, path: str) -> Iterator[Fault]:
        """A hysteresis with which an alert of one side ends only where one of the other begins."""
        high, low = self._limits().outermost
        if 0 <= high - low < self.hysteresis:
            yield (
                f"{path}.hysteresis",
                f"{exact(self.hysteresis)} is more than the {exact(high - low)} between the limits",
            )

    def evaluator(self, index: int) -> "ThresholdEvaluator":
        """What follows its metric."""
        return ThresholdEvaluator(index, self.metric, self._limits(), self.hold)

    def _limits(self) -> Limits:
        return Limits.of(self.above, self.below, self.hysteresis)

    def describe(self, change: LevelChange) -> str:
        """The value, the limit, and how long."""
        return describe_value(self, change, self._is_above(change), self.hysteresis)

    def describe_recovery(self, change: LevelChange) -> str:
        """The value, which may be beyond the limit of the other side, if it has not been for long enough."""
        assert change.value is not None
        limits = self._limits()
        value = number(change.value, self.unit, beside=filter(math.isfinite, limits.outermost))
        if level := limits.level(change.value):
            assert change.limit is not None
            limit = f"{exact(change.limit)} {self.unit or ''}".rstrip()
            return f"{self.metric} is {value}, no longer {'below' if level > NONE else 'above'} {limit}"
        return f"{self.metric} is back within its limits at {value}"

    def _is_above(self, change: LevelChange) -> bool:
        """Whether the limit of a change is one above. Where both sides share a limit the value decides."""
        above, below = (
            levels is not None and change.limit in (levels.warning, levels.critical)
            for levels in (self.above, self.below)
        )
        value = change.began[1] if change.began else change.value
        return above and not (below and (value or 0.0) < (change.limit or 0.0))

    def checks(self, revision: Fields) -> Iterator[Check]:
        """Whether the value is beyond the limit."""
        return limit_checks(revision, self._limits())


class ThresholdEvaluator(OfOneMetric):
    """A value against limits."""

    def take(self, samples: Samples, mask: Mask, changes: list[LevelChange]) -> None:
        """Take the values."""
        rows, times_ms, devices, values, lowest, highest = samples
        high, low, runs, step = *self.tracker.limits.outermost, self.tracker.runs, self.tracker.step
        concerned = set(runs)
        if highest > high or lowest < low:
            concerned.update([devices[index] for index, value in enumerate(values) if value > high or value < low])
        if not concerned:
            return
        for index in [index for index, device in enumerate(devices) if device in concerned]:
            device, value = devices[index], values[index]
            if (value > high or value < low or device in runs) and (mask is None or mask[device]):
                step(rows[index], device, times_ms[index], value, changes)


def describe_value(rule: FollowingRule, change: LevelChange, above: bool, hysteresis: float) -> str:
    """A value that is, or is still held to be, beyond a limit."""
    value, limit = change.value, change.limit
    assert value is not None
    assert limit is not None
    side, other = ("above", "below") if above else ("below", "above")
    shown_limit = f"{exact(limit)} {rule.unit or ''}".rstrip()
    if value > limit if above else value < limit:
        return f"{rule.metric} is {measured(change, rule.unit)}, {side} {shown_limit}{lasting(change)}"
    ends_at = limit - hysteresis if above else limit + hysteresis
    now = f"{number(value, rule.unit, beside=[limit, ends_at])}, not yet {exact(hysteresis)} {other}"
    if change.began is None:
        return f"{rule.metric} is {now} {shown_limit}{lasting(change)}"
    at_ms, first = change.began
    began = f"{number(first, rule.unit, beside=[limit])}, {side} {shown_limit}, at {iso(at_ms)}"
    return f"{rule.metric} was {began}; it is now {now}"


def _overlap(path: str, above: Levels, below: Levels) -> Iterator[Fault]:
    highs = [level for level in (above.warning, above.critical) if level is not None]
    lows = [level for level in (below.warning, below.critical) if level is not None]
    if highs and lows and max(lows) > min(highs):
        yield f"{path}.below", f"{exact(max(lows))} is more than the limit above, {exact(min(highs))}"
