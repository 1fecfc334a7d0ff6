"""From measured numbers to the level a rule is at: hysteresis, and how long a limit must be passed before it counts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from fleetpulse.rules.parts import Part

NONE, WARNING, CRITICAL = 0, 1, 2
ABOVE, BELOW = 1, -1  # the sides of limits; a level times a side is a level of that side
_RECENT = 5  # values that are kept as evidence

_NEVER = float("inf")


class Levels(Part, frozen=True, kw_only=True):
    """A limit for each severity, at least one of them."""

    warning: float | None = None
    critical: float | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a rule as plain numbers; one that is not set lies at infinity."""

    above: tuple[float, float] = (_NEVER, _NEVER)
    below: tuple[float, float] = (-_NEVER, -_NEVER)
    hysteresis: float = 0.0

    @classmethod
    def of(cls, above: Levels | None, below: Levels | None = None, hysteresis: float = 0.0) -> "Limits":
        """The limits that a rule's levels set. Without a warning a value is at once critical."""
        return cls(_pair(above, _NEVER, min), _pair(below, -_NEVER, max), hysteresis)

    @property
    def outermost(self) -> tuple[float, float]:
        """The upper and the lower limit between which nothing is wrong with a value."""
        return self.above[WARNING - 1], self.below[WARNING - 1]

    def level(self, value: float, before: int = NONE) -> int:
        """The level of a value: positive above, negative below, as is `before`, the level of the value before it.

        Hysteresis holds a level on its own side only, and not beyond the limit of the other side.
        """
        if (before > NONE and value < self.below[0]) or (before < NONE and value > self.above[0]):
            before = NONE
        for level in (CRITICAL, WARNING):
            if value > self.above[level - 1] - (self.hysteresis if before >= level else 0.0):
                return level
            if value < self.below[level - 1] + (self.hysteresis if before <= -level else 0.0):
                return -level
        return NONE

    def limit(self, level: int) -> float:
        """The limit of a level, which is positive above and negative below."""
        return self.above[level - 1] if level > NONE else self.below[-level - 1]

    def side_of(self, recent: Iterable[tuple[int, float]]) -> int:
        """The side of a run by its values, for runs written to state before the side was."""
        high, low = self.outermost
        for _, value in reversed(list(recent)):
            if value > high or value >= low + self.hysteresis:
                return ABOVE
            if value < low or value <= high - self.hysteresis:
                return BELOW
        return BELOW if high == _NEVER else ABOVE


def _pair(levels: Levels | None, unset: float, first: Callable[[float, float], float]) -> tuple[float, float]:
    if levels is None:
        return unset, unset
    critical = unset if levels.critical is None else levels.critical
    warning = critical if levels.warning is None else levels.warning
    return first(warning, critical), critical


class LevelChange(NamedTuple):
    """A rule's level for a device has changed, at a row of the batch. Sorts by row, then by rule.

    `value` is what was measured, `limit` what it was held against; `since_ms` is when the level began. `began` is the
    time and value that began it, where `value` itself counts by hysteresis only.
    """

    row: int
    rule: int
    device: int
    time_ms: int
    level: int
    value: float | None
    limit: float | None
    since_ms: int
    recent: tuple[tuple[int, float], ...] = ()
    began: tuple[int, float] | None = None


class Run(msgspec.Struct, array_like=True):
    """An unbroken run of values beyond the limits of one side, for one device.

    `raw` is the level of the last value, `level` the one that counts; `since_ms` is by level, as is `began`, the
    value of then. `side` is 0 and `began` unknown in state that was written before they were kept.
    """

    raw: int
    since_ms: tuple[int, int]
    level: int
    recent: tuple[tuple[int, float], ...]
    side: int = 0
    began: tuple[float | None, float | None] = (None, None)


class Tracker:
    """Where all devices stand with one rule. Devices that are well within its limits take no room."""

    def __init__(self, rule: int, limits: Limits, hold_ms: int) -> None:
        self.rule = rule
        self.limits = limits
        self._hold_ms = hold_ms
        self.runs: dict[int, Run] = {}

    def restore(self, runs: dict[int, Run]) -> None:
        """Go on with runs from state."""
        for run in runs.values():
            run.side = run.side or self.limits.side_of(run.recent)
        self.runs = runs

    def step(self, row: int, device: int, time_ms: int, value: float, changes: list[LevelChange]) -> None:
        """Take a value that is beyond a limit, or one of a device that has a run."""
        last = self.runs.get(device)
        reached = self.limits.level(value, last.side * last.raw if last else NONE)
        if reached == NONE:
            if last is not None:
                del self.runs[device]
                if last.level:
                    changes.append(self._end(row, device, time_ms, value, last))
            return
        side, raw = (ABOVE, reached) if reached > NONE else (BELOW, -reached)
        run = last if last is not None and last.side == side else None  # the other side begins a run of its own
        since_ms, began = (run.since_ms, run.began) if run else ((time_ms, time_ms), (value, value))
        if run is None or run.raw < CRITICAL:
            since_ms, began = (since_ms[0], time_ms), (began[0], value)
        held = [level for level in range(1, raw + 1) if time_ms - since_ms[level - 1] >= self._hold_ms]
        # A level that counts stays as long as it is passed, also where a change of the rule asks for more time.
        level = max(held[-1] if held else NONE, min(run.level, raw) if run else NONE)
        recent = _with(run.recent if run else (), time_ms, value)
        self.runs[device] = Run(raw, since_ms, level, recent, side, began)
        if last is not None and last.level and not level:
            changes.append(self._end(row, device, time_ms, value, last))
        elif level != (last.level if last else NONE):
            changes.append(self._reach(row, device, time_ms, value, self.runs[device]))

    def means_the_same_as(self, other: "Tracker") -> bool:
        """Whether both mean the same by a level."""
        return (self.limits, self._hold_ms) == (other.limits, other._hold_ms)

    def begin_anew(self) -> None:
        """Let go of the runs whose level does not count yet: they lasted by other limits."""
        self.runs = {device: run for device, run in self.runs.items() if run.level}

    def _reach(self, row: int, device: int, time_ms: int, value: float, run: Run) -> LevelChange:
        """The change by which a level begins to count."""
        limit, since_ms, began = self.limits.limit(run.side * run.level), run.since_ms[run.level - 1], None
        if run.side * value <= run.side * limit:  # within the hysteresis
            first = run.began[run.level - 1]
            began = (since_ms, first) if first is not None and run.side * first > run.side * limit else None
        return LevelChange(row, self.rule, device, time_ms, run.level, value, limit, since_ms, run.recent, began)

    def _end(self, row: int, device: int, time_ms: int, value: float, run: Run) -> LevelChange:
        """The change by which a level that counts ends."""
        limit, recent = self.limits.limit(run.side * run.level), _with(run.recent, time_ms, value)
        return LevelChange(row, self.rule, device, time_ms, NONE, value, limit, run.since_ms[0], recent)


def _with(recent: tuple[tuple[int, float], ...], time_ms: int, value: float) -> tuple[tuple[int, float], ...]:
    return (*recent[1 - _RECENT :], (time_ms, value))
