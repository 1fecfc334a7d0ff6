"""The common part of evaluators: one rule each, over all devices of a shard.

Numbers of all devices stand in arrays, by the device's number: eight bytes each, and a snapshot is a copy of them.
"""

from abc import ABC, abstractmethod
from array import array
from collections.abc import Sequence
from typing import Any, ClassVar

from fleetpulse.frames.rows import Due, Samples
from fleetpulse.rules.levels import ABOVE, CRITICAL, NONE, LevelChange, Limits, Run, Tracker

Mask = bytearray | None  # by device number: whether the rule is for it; None for all
Saved = tuple[list[bytes], dict[int, Run]]

ALARM = Limits(above=(0.5, 0.5))
"""Of what is either so (1.0) or not (0.0)."""


class Evaluator(ABC):
    """Follows one rule. `known` holds the devices with a value, where a condition asks for the rule; else None."""

    arrays: ClassVar[str] = ""  # type codes of the arrays it keeps, by device
    defaults: ClassVar[tuple[float, ...]] = ()

    def __init__(self, rule: int, metric: str, limits: Limits, hold_ms: int) -> None:
        self.metric = metric
        self.tracker = Tracker(rule, limits, hold_ms)
        self.columns: list[array[Any]] = [array(code) for code in self.arrays]
        self.known: set[int] | None = None
        self.rule = rule

    @abstractmethod
    def feed(self, due: Due, mask: Mask, changes: list[LevelChange]) -> None:
        """Take due readings, and append the changes of level."""

    def note_known(self, samples: Samples, mask: Mask, changes: list[LevelChange]) -> None:
        """Append a change without a value for each device that has its first value."""
        if self.known is None or self.known.issuperset(samples.devices):
            return
        for row, time_ms, device in zip(samples.rows, samples.times_ms, samples.devices, strict=True):
            if device not in self.known and (mask is None or mask[device]):
                self.known.add(device)
                changes.append(LevelChange(row, self.rule, device, time_ms, NONE, None, None, time_ms))

    def grow(self, devices: int) -> None:
        """Make room for so many devices."""
        for column, default in zip(self.columns, self.defaults, strict=True):
            column.extend([default] * (devices - len(column)))

    def reset(self, device: int) -> None:
        """Forget a device."""
        self.tracker.runs.pop(device, None)
        for column, default in zip(self.columns, self.defaults, strict=True):
            column[device] = default
        if self.known is not None:
            self.known.discard(device)

    def renumber(self, order: Sequence[int]) -> None:
        """Keep the devices in `order` alone, with their indices in it as their numbers."""
        self.columns = [array(column.typecode, [column[device] for device in order]) for column in self.columns]
        indices = {device: index for index, device in enumerate(order)}
        self.tracker.runs = {indices[device]: run for device, run in self.tracker.runs.items() if device in indices}
        if self.known is not None:
            self.known = {indices[device] for device in self.known if device in indices}

    def save(self) -> Saved:
        """The state, for the snapshot."""
        return [column.tobytes() for column in self.columns], self.tracker.runs

    def load(self, saved: Saved) -> None:
        """Go on with what was saved."""
        for column, content in zip(self.columns, saved[0], strict=True):
            column.frombytes(content)
        self.tracker.restore(dict(saved[1]))


class OfOneMetric(Evaluator):
    """Evaluates the values of one metric only."""

    def feed(self, due: Due, mask: Mask, changes: list[LevelChange]) -> None:
        """Take due readings."""
        samples = due.samples(self.metric)
        if samples is not None:
            self.note_known(samples, mask, changes)
            self.take(samples, mask, changes)

    @abstractmethod
    def take(self, samples: Samples, mask: Mask, changes: list[LevelChange]) -> None:
        """Take the values."""


def switch(
    tracker: Tracker,
    changes: list[LevelChange],
    row: int,
    device: int,
    time_ms: int,
    on: bool,
    value: float,
    limit: float | None,
    since_ms: int,
) -> None:
    """Append the change of a rule that has no limits, only on and off."""
    level = CRITICAL if on else NONE
    if on:
        tracker.runs[device] = Run(CRITICAL, (since_ms, since_ms), CRITICAL, (), ABOVE)
    else:
        del tracker.runs[device]
    changes.append(LevelChange(row, tracker.rule, device, time_ms, level, value, limit, since_ms))
