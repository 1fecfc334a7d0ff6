"""`missing`: a metric that a device no longer reports, though it sends records."""

from collections.abc import Iterator

from msgspec import field

from fleetpulse.durations import DurationMs
from fleetpulse.frames.rows import Due
from fleetpulse.rules.evaluator import ALARM, Evaluator, Mask, switch
from fleetpulse.rules.faults import not_positive
from fleetpulse.rules.levels import LevelChange
from fleetpulse.rules.parts import Severity
from fleetpulse.rules.rule import Fault, FollowingRule
from fleetpulse.rules.sentences import measured


class Missing(FollowingRule, frozen=True, kw_only=True, tag="missing"):
    """A device that sends records, but not a certain metric, for a time: a stale signal."""

    metric: str
    hold: DurationMs = field(name="for")
    severity: Severity = "warning"

    @property
    def unit(self) -> str:
        """Its values are seconds."""
        return "s"

    def faults(self, path: str) -> Iterator[Fault]:
        """What is wrong with its duration."""
        yield from not_positive(f"{path}.for", self.hold)

    def evaluator(self, index: int) -> "MissingEvaluator":
        """What follows its metric."""
        return MissingEvaluator(index, self.metric, self.hold)

    def describe(self, change: LevelChange) -> str:
        """How long."""
        return f"it sends records, but no {self.metric} for {measured(change, self.unit)}"

    def describe_recovery(self, change: LevelChange) -> str:  # noqa: ARG002
        """That it is back."""
        return f"{self.metric} is reported again"


class MissingEvaluator(Evaluator):
    """A metric that a device no longer reports, though it sends records."""

    arrays = "q"  # when it was reported last, or the device was first heard
    defaults = (-1,)

    def __init__(self, rule: int, metric: str, hold_ms: int) -> None:
        super().__init__(rule, metric, ALARM, 0)
        self._hold_ms = hold_ms

    def feed(self, due: Due, mask: Mask, changes: list[LevelChange]) -> None:
        """Take due readings, those without the metric too."""
        rows, numbers, samples = due.rows, due.numbers, due.samples(self.metric)
        has = frozenset(samples.rows) if samples and len(samples.rows) < len(numbers) else None
        all_have = samples is not None and has is None
        [reported_ms], runs, hold_ms = self.columns, self.tracker.runs, self._hold_ms
        if all_have and not runs:
            for time_ms, device in zip(rows.times_ms, numbers, strict=True):
                reported_ms[device] = time_ms
        else:
            for row, (time_ms, device) in enumerate(zip(rows.times_ms, numbers, strict=True)):
                if all_have or (has is not None and row in has):
                    if device in runs:
                        silent_s = (time_ms - reported_ms[device]) / 1000
                        switch(self.tracker, changes, row, device, time_ms, False, silent_s, hold_ms / 1000, time_ms)
                    reported_ms[device] = time_ms
                elif reported_ms[device] < 0:
                    reported_ms[device] = time_ms
                elif time_ms - reported_ms[device] >= hold_ms and device not in runs and (mask is None or mask[device]):
                    since_ms = reported_ms[device]
                    silent_s = (time_ms - since_ms) / 1000
                    switch(self.tracker, changes, row, device, time_ms, True, silent_s, hold_ms / 1000, since_ms)
        if samples is not None:
            self.note_known(samples, mask, changes)
