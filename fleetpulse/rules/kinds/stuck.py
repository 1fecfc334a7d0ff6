"""`stuck`: a value that does not move."""

from collections.abc import Iterator

from msgspec import field

from fleetpulse.durations import DurationMs
from fleetpulse.frames.rows import Samples
from fleetpulse.rules.evaluator import ALARM, Mask, OfOneMetric, switch
from fleetpulse.rules.faults import negative, not_positive
from fleetpulse.rules.levels import LevelChange
from fleetpulse.rules.parts import Severity
from fleetpulse.rules.rule import Fault, FollowingRule
from fleetpulse.rules.sentences import measured


class Stuck(FollowingRule, frozen=True, kw_only=True, tag="stuck"):
    """A value that has not moved by more than `tolerance` for a time."""

    metric: str
    hold: DurationMs = field(name="for")
    tolerance: float = 0.0
    severity: Severity = "warning"

    def faults(self, path: str) -> Iterator[Fault]:
        """What is wrong with its numbers."""
        yield from negative(f"{path}.tolerance", self.tolerance)
        yield from not_positive(f"{path}.for", self.hold)

    def evaluator(self, index: int) -> "StuckEvaluator":
        """What follows its metric."""
        return StuckEvaluator(index, self.metric, self.hold, self.tolerance)

    def describe(self, change: LevelChange) -> str:
        """The value, and how long."""
        lasting_s = (change.time_ms - change.since_ms) / 1000
        return f"{self.metric} has been {measured(change, self.unit)} for {lasting_s:.0f} s without moving"

    def describe_recovery(self, change: LevelChange) -> str:  # noqa: ARG002
        """That it moves."""
        return f"{self.metric} moves again"


class StuckEvaluator(OfOneMetric):
    """A value that does not move."""

    arrays = "qd"  # since when, and at which value
    defaults = (-1, 0.0)

    def __init__(self, rule: int, metric: str, hold_ms: int, tolerance: float) -> None:
        super().__init__(rule, metric, ALARM, 0)
        self._hold_ms, self._tolerance = hold_ms, tolerance

    def take(self, samples: Samples, mask: Mask, changes: list[LevelChange]) -> None:
        """Take the values."""
        since_ms, since, hold_ms, tolerance = *self.columns, self._hold_ms, self._tolerance
        runs = self.tracker.runs
        for row, time_ms, device, value in samples.each():
            began_ms = since_ms[device]
            if began_ms < 0 or abs(value - since[device]) > tolerance:
                since_ms[device], since[device] = time_ms, value
                if device in runs:
                    switch(self.tracker, changes, row, device, time_ms, False, value, None, time_ms)
            elif time_ms - began_ms >= hold_ms and device not in runs and (mask is None or mask[device]):
                switch(self.tracker, changes, row, device, time_ms, True, value, None, began_ms)
