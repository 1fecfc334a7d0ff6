"""`deviation`: a value far from what is usual for its device."""

import math
from collections.abc import Iterator

from msgspec import field

from fleetpulse.durations import DurationMs
from fleetpulse.frames.rows import Samples
from fleetpulse.rules.evaluator import Mask, OfOneMetric
from fleetpulse.rules.evidence import Check, Fields, limit_checks
from fleetpulse.rules.faults import MOST, levels_faults, negative
from fleetpulse.rules.levels import LevelChange, Levels, Limits
from fleetpulse.rules.rule import Fault, FollowingRule
from fleetpulse.rules.sentences import lasting, measured


class Deviation(FollowingRule, frozen=True, kw_only=True, tag="deviation"):
    """A value so many standard deviations away from what is usual for its device."""

    metric: str
    sigmas: Levels
    weight: float = 0.02
    warm_up: int = 50
    least_deviation: float = 0.0
    hold: DurationMs = field(default_factory=DurationMs, name="for")

    @property
    def unit(self) -> str:
        """Its values are standard deviations."""
        return "σ"

    def faults(self, path: str) -> Iterator[Fault]:
        """What is wrong with its numbers."""
        yield from negative(f"{path}.least_deviation", self.least_deviation)
        yield from levels_faults(f"{path}.sigmas", self.sigmas, positive=True)
        if not 0 < self.weight < 1:
            yield f"{path}.weight", f"{self.weight} is not between 0 and 1"
        if not 2 <= self.warm_up <= MOST:
            yield f"{path}.warm_up", f"{self.warm_up} is not from 2 to {MOST:,} readings"

    def evaluator(self, index: int) -> "DeviationEvaluator":
        """What follows its metric."""
        return DeviationEvaluator(index, self._limits(), self)

    def _limits(self) -> Limits:
        return Limits.of(self.sigmas)

    def describe(self, change: LevelChange) -> str:
        """How far, and how long."""
        return f"{self.metric} is {measured(change, self.unit)} away from what is usual for it{lasting(change)}"

    def describe_recovery(self, change: LevelChange) -> str:  # noqa: ARG002
        """That it is usual."""
        return f"{self.metric} is usual again"

    def checks(self, revision: Fields) -> Iterator[Check]:
        """Whether the deviation is beyond the limit."""
        return limit_checks(revision, self._limits())


class DeviationEvaluator(OfOneMetric):
    """How far a value is from what is usual for its device, in standard deviations.

    Mean and variance are exponentially weighted, in the incremental form of T. Finch, "Incremental calculation of
    weighted mean and variance" (2009). Until a device is warmed up the weight is 1/n, so that its first values count
    alike. After that a value beyond three deviations counts as if it were three away: an outlier is not made usual.
    """

    arrays = "ddq"  # mean, variance, number of readings
    defaults = (0.0, 0.0, 0)
    _CLIP = 3.0

    def __init__(self, rule: int, limits: Limits, deviation: Deviation) -> None:
        super().__init__(rule, deviation.metric, limits, deviation.hold)
        self._weight, self._warm_up = deviation.weight, deviation.warm_up
        self._least = deviation.least_deviation

    def take(self, samples: Samples, mask: Mask, changes: list[LevelChange]) -> None:
        """Take the values."""
        means, variances, counts = self.columns
        weight, warm_up, runs, clip = self._weight, self._warm_up, self.tracker.runs, self._CLIP
        least, floor = self.tracker.limits.above[0], self._least * self._least
        suspicious = min(least, clip) ** 2
        for row, time_ms, device, value in samples.each():
            count, mean, variance = counts[device], means[device], variances[device]
            away = value - mean
            counts[device] = count + 1
            if count >= warm_up:
                share, spread = weight, variance if variance > floor else floor
                if away * away > suspicious * spread or device in runs:
                    sigma = math.sqrt(spread)
                    sigmas = abs(away) / sigma if sigma else (math.inf if away else 0.0)
                    if (sigmas > least or device in runs) and (mask is None or mask[device]):
                        self.tracker.step(row, device, time_ms, min(sigmas, 1e9), changes)
                    if sigmas > clip:
                        away = math.copysign(clip * sigma, away)
            else:
                share = max(weight, 1 / (count + 1))
            step = share * away
            means[device] = mean + step
            variances[device] = spread = (1 - share) * (variance + step * away)
            if spread - spread:  # not finite: nothing is usual for it any more, so begin anew
                means[device], variances[device], counts[device] = self.defaults
