"""From measured numbers to the level a rule is at: hysteresis, and how long a limit must be passed before it counts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from fleetpulse.rules.parts import Part

NONE, WARNING, CRITICAL = 0, 1, 2
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

    def level(self, value: float, before: int) -> int:
        """The level of a value, where the level before it was `before`."""
        slack = self.hysteresis
        for level in (CRITICAL, WARNING):
            kept = slack if before >= level else 0.0
            above, below = self.above[level - 1], self.below[level - 1]
            if value > above - kept or value < below + kept:
                return level
        return NONE

    def limit(self, value: float, level: int) -> float:
        """The limit that a value at `level` has passed, or came back from."""
        index = max(level, WARNING) - 1
        above, below = self.above[index], self.below[index]
        return above if abs(value - above) <= abs(value - below) else below


def _pair(levels: Levels | None, unset: float, first: Callable[[float, float], float]) -> tuple[float, float]:
    if levels is None:
        return unset, unset
    critical = unset if levels.critical is None else levels.critical
    warning = critical if levels.warning is None else levels.warning
    return first(warning, critical), critical


class LevelChange(NamedTuple):
    """A rule's level for a device has changed, at a row of the batch. Sorts by row, then by rule.

    `value` is what was measured, `limit` what it was held against; `since_ms` is when the level began.
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


class Run(msgspec.Struct, array_like=True):
    """An unbroken run of values at a level, for one device. `since_ms` is by level; `level` is the one that counts."""

    raw: int
    since_ms: tuple[int, int]
    level: int
    recent: tuple[tuple[int, float], ...]


class Tracker:
    """Where all devices stand with one rule. Devices that are well within its limits take no room."""

    def __init__(self, rule: int, limits: Limits, hold_ms: int) -> None:
        self.rule = rule
        self.limits = limits
        self._hold_ms = hold_ms
        self.runs: dict[int, Run] = {}

    def step(self, row: int, device: int, time_ms: int, value: float, changes: list[LevelChange]) -> None:
        """Take a value that is beyond a limit, or one of a device that has a run."""
        run = self.runs.get(device)
        before = run.raw if run else NONE
        raw = self.limits.level(value, before)
        if raw == NONE:
            if run is not None:
                del self.runs[device]
                if run.level:
                    recent = _with(run.recent, time_ms, value)
                    self._append_change(changes, row, device, time_ms, NONE, value, run.level, run.since_ms[0], recent)
            return
        since_ms = run.since_ms if run else (time_ms, time_ms)
        if before < CRITICAL:
            since_ms = (since_ms[0], time_ms)
        held = [level for level in range(1, raw + 1) if time_ms - since_ms[level - 1] >= self._hold_ms]
        # A level that counts stays as long as it is passed, also where a change of the rule asks for more time.
        level = max(held[-1] if held else NONE, min(run.level, raw) if run else NONE)
        recent = _with(run.recent if run else (), time_ms, value)
        if level != (run.level if run else NONE):
            self._append_change(
                changes, row, device, time_ms, level, value, level or CRITICAL, since_ms[max(level, 1) - 1], recent
            )
        self.runs[device] = Run(raw, since_ms, level, recent)

    def means_the_same_as(self, other: "Tracker") -> bool:
        """Whether both mean the same by a level."""
        return (self.limits, self._hold_ms) == (other.limits, other._hold_ms)

    def begin_anew(self) -> None:
        """Let go of the runs whose level does not count yet: they lasted by other limits."""
        self.runs = {device: run for device, run in self.runs.items() if run.level}

    def _append_change(
        self,
        changes: list[LevelChange],
        row: int,
        device: int,
        time_ms: int,
        level: int,
        value: float,
        of_level: int,
        since_ms: int,
        recent: tuple[tuple[int, float], ...],
    ) -> None:
        limit = self.limits.limit(value, of_level)
        changes.append(LevelChange(row, self.rule, device, time_ms, level, value, limit, since_ms, recent))


def _with(recent: tuple[tuple[int, float], ...], time_ms: int, value: float) -> tuple[tuple[int, float], ...]:
    return (*recent[1 - _RECENT :], (time_ms, value))
