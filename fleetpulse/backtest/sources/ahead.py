"""Which times of a sequence are far ahead of those around them: wrong clocks in lines that nobody stamped."""

from collections.abc import Sequence

import numpy as np

from fleetpulse.durations import DAY_MS

_AROUND = 20  # neighbours on each side


def ahead_of_neighbours(times_ms: Sequence[int]) -> list[int]:
    """Indices of times that are more than a day ahead of most of the times before them and of most after them.

    Of a time at an end only the other side is asked; one at the very end must be further ahead than all else spans, or
    lines that come seldom would end with a wrong one.
    """
    times = np.asarray(times_ms, np.int64)
    count = len(times)
    if count < 2:
        return []
    reached = times - DAY_MS
    sides = {side: np.zeros(count, np.int64) for side in (-1, 1)}
    asked = {side: np.zeros(count, np.int64) for side in (-1, 1)}
    for distance in range(1, min(_AROUND, count - 1) + 1):
        earlier, later = slice(0, count - distance), slice(distance, count)
        sides[1][earlier] += times[later] >= reached[earlier]
        asked[1][earlier] += 1
        sides[-1][later] += times[earlier] >= reached[later]
        asked[-1][later] += 1
    ahead = np.ones(count, bool)
    for side in (-1, 1):
        ahead &= 2 * sides[side] < np.maximum(asked[side], 1)
    found = [int(index) for index in np.flatnonzero(ahead)]
    others = np.delete(times, found)
    if found and found[-1] == count - 1 and len(others):
        spanned = max(DAY_MS, int(others.max() - others.min()))
        if times[-1] - others.max() <= spanned:
            found.pop()
    return found
