"""Checks of fields that several kinds of rules have."""

import math
from collections.abc import Iterator

from fleetpulse.rules.levels import Levels
from fleetpulse.rules.rule import Fault

MOST = 1_000_000  # of what is counted; JSON on the topic has no whole numbers beyond 64 bits


def not_positive(path: str, number: float) -> Iterator[Fault]:
    """Check that a duration is more than 0."""
    if number <= 0:
        yield path, "must be more than 0"


def negative(path: str, number: float) -> Iterator[Fault]:
    """Check that a number is finite, and 0 or more."""
    if not 0 <= number < math.inf:
        yield path, f"{number} is not a finite number from 0 on"


def levels_faults(path: str, levels: Levels, *, rising: bool = True, positive: bool = False) -> Iterator[Fault]:
    """Check the limits of severities: finite, and critical not before warning."""
    given = [level for level in (levels.warning, levels.critical) if level is not None]
    if not given:
        yield path, "expected `warning`, `critical` or both"
    elif not all(map(math.isfinite, given)) or (positive and min(given) <= 0):
        yield path, "expected finite numbers" + (" above 0" if positive else "")
    elif len(given) == 2 and (given[0] > given[1] if rising else given[0] < given[1]):
        yield f"{path}.critical", f"{given[1]:g} comes before the warning at {given[0]:g}"
