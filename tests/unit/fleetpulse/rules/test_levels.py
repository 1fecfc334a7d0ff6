"""Levels by limits on two sides, compared to an oracle that follows each side and severity on its own."""

from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fleetpulse.rules.levels import ABOVE, BELOW, CRITICAL, NONE, WARNING, LevelChange, Limits, Run, Tracker

Series = list[tuple[int, float]]


class Flag(NamedTuple):
    """One severity of one side, which a value is beyond since a time."""

    side: int
    level: int
    limit: float
    end: float
    other: float

    def follow(self, series: Series, hold_ms: int) -> list[int | None]:
        """Since when it has been passed, at each reading at which that is long enough."""
        since_ms: int | None = None
        counts = []
        for time_ms, value in series:
            if since_ms is None and self.side * (value - self.limit) > 0:
                since_ms = time_ms
            elif since_ms is not None and (self.side * (value - self.end) <= 0 or self.side * (value - self.other) < 0):
                since_ms = None
            counts.append(since_ms if since_ms is not None and time_ms - since_ms >= hold_ms else None)
        return counts


def oracle(limits: Limits, hold_ms: int, series: Series) -> list[tuple]:
    """(time, level, value, limit, since) of each change: the highest level of either side."""
    flags = [
        Flag(side, level, of[level - 1], of[level - 1] - side * limits.hysteresis, other[0])
        for side, of, other in ((ABOVE, limits.above, limits.below), (BELOW, limits.below, limits.above))
        for level in (WARNING, CRITICAL)
    ]
    counted = [flag.follow(series, hold_ms) for flag in flags]
    changes = []
    before, limit_before, warned_ms = NONE, 0.0, 0
    for row, (time_ms, value) in enumerate(series):
        live = {flag: since for flag, counts in zip(flags, counted, strict=True) if (since := counts[row]) is not None}
        highest = max(live, key=lambda flag: flag.level, default=None)
        level = highest.level if highest else NONE
        if highest and level != before:
            changes.append((time_ms, level, value, highest.limit, live[highest]))
        elif before and not level:
            changes.append((time_ms, NONE, value, limit_before, warned_ms))
        before = level
        if highest:
            limit_before = highest.limit
            warned_ms = next(live[flag] for flag in live if (flag.side, flag.level) == (highest.side, WARNING))
    return changes


def tracked(limits: Limits, hold_ms: int, series: Series) -> list[tuple]:
    tracker, changes = Tracker(0, limits, hold_ms), list[LevelChange]()
    for row, (time_ms, value) in enumerate(series):
        if value > limits.outermost[0] or value < limits.outermost[1] or 0 in tracker.runs:
            tracker.step(row, 0, time_ms, value, changes)
    return [(change.time_ms, change.level, change.value, change.limit, change.since_ms) for change in changes]


NEVER = float("inf")
SERIES = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 60)), max_size=40).map(
    lambda steps: [(sum(dt for dt, _ in steps[: n + 1]), value / 2) for n, (_, value) in enumerate(steps)]
)


@st.composite
def pairs(draw: st.DrawFn, low: int, high: int, rising: bool) -> tuple[float, float]:
    first, second = sorted((draw(st.integers(low, high)), draw(st.integers(low, high))), reverse=not rising)
    unset = NEVER if rising else -NEVER
    return draw(st.sampled_from([(first, first), (first, second), (first, unset)]))


TWO_SIDES = st.builds(Limits, pairs(15, 25, True), pairs(5, 15, False), st.integers(0, 24).map(lambda h: h / 2))
ONE_SIDE = st.one_of(
    st.builds(Limits, above=pairs(15, 25, True), hysteresis=st.integers(0, 20)),
    st.builds(Limits, below=pairs(5, 15, False), hysteresis=st.integers(0, 20)),
)


@given(TWO_SIDES, st.integers(0, 6), SERIES)
@example(Limits((30.0, 30.0), (20.0, 20.0), 3.0), 0, [(0, 31.0), (1, 22.0), (2, 25.0)])
@example(Limits((30.0, 30.0), (20.0, 20.0), 6.0), 0, [(0, 31.0), (1, 24.0), (2, 26.0)])
@example(Limits((30.0, 40.0), (20.0, 10.0), 3.0), 0, [(0, 41.0), (1, 19.0), (2, 9.0), (3, 31.0)])
@example(Limits((30.0, 30.0), (20.0, 20.0), 3.0), 2, [(0, 31.0), (2, 31.0), (3, 19.0), (5, 19.0)])
def test_each_side_has_its_own_hysteresis_and_its_own_run(limits: Limits, hold_ms: int, series: Series) -> None:
    assert tracked(limits, hold_ms, series) == oracle(limits, hold_ms, series)


@given(ONE_SIDE, st.integers(0, 6), SERIES)
def test_one_side_is_followed_alone(limits: Limits, hold_ms: int, series: Series) -> None:
    assert tracked(limits, hold_ms, series) == oracle(limits, hold_ms, series)


@given(TWO_SIDES, st.integers(0, 6), SERIES)
def test_a_rule_of_two_sides_is_two_rules_of_one(limits: Limits, hold_ms: int, series: Series) -> None:
    hysteresis = min(limits.hysteresis, limits.above[0] - limits.below[0])  # more than that `rules check` refuses
    limits = Limits(limits.above, limits.below, hysteresis)
    upper, lower = Limits(above=limits.above, hysteresis=hysteresis), Limits(below=limits.below, hysteresis=hysteresis)

    def level_at(changes: list[tuple], time_ms: int) -> int:
        return next((level for at_ms, level, *_ in reversed(changes) if at_ms <= time_ms), NONE)

    both, apart = tracked(limits, hold_ms, series), [tracked(one, hold_ms, series) for one in (upper, lower)]
    for time_ms, _ in series:
        assert level_at(both, time_ms) == max(level_at(one, time_ms) for one in apart)


@pytest.mark.parametrize(
    ("limits", "values", "side"),
    [
        (Limits(above=(30.0, 40.0), hysteresis=5.0), [26.0], ABOVE),
        (Limits(below=(20.0, 10.0), hysteresis=5.0), [24.0], BELOW),
        (Limits((30.0, 40.0), (20.0, 10.0), 3.0), [28.0], ABOVE),
        (Limits((30.0, 40.0), (20.0, 10.0), 3.0), [22.0], BELOW),
        (Limits((30.0, 30.0), (20.0, 20.0), 6.0), [31.0, 25.0], ABOVE),
        (Limits((30.0, 30.0), (20.0, 20.0), 6.0), [19.0, 25.0], BELOW),
        (Limits((30.0, 30.0), (20.0, 20.0), 6.0), [31.0, 19.0, 25.0], BELOW),
        (Limits(above=(0.5, 0.5)), [], ABOVE),
    ],
)
def test_a_run_from_state_that_kept_no_side_gets_the_side_of_its_values(
    limits: Limits, values: list[float], side: int
) -> None:
    tracker = Tracker(0, limits, 0)
    tracker.restore({7: Run(WARNING, (0, 0), WARNING, tuple(enumerate(values)))})
    assert tracker.runs[7].side == side


def test_a_side_that_was_kept_stays_whatever_the_limits_say_now() -> None:
    tracker = Tracker(0, Limits((50.0, 50.0), (20.0, 20.0), 2.0), 0)
    tracker.restore({7: Run(WARNING, (0, 0), WARNING, ((0, 21.0),), ABOVE)})
    assert tracker.runs[7].side == ABOVE
