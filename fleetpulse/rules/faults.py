"""Checks of fields that several kinds of rules have."""

import math
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from itertools import product

from fleetpulse.numbers import exact
from fleetpulse.records.dialects import is_name
from fleetpulse.records.metrics import UNITS, metric_of
from fleetpulse.rules.levels import Levels
from fleetpulse.rules.rule import Fault

MOST = 1_000_000  # of what is counted; JSON on the topic has no whole numbers beyond 64 bits
_MOST_STARS = 6  # in a glob that is compared to another
_ONE_CHARACTER = re.compile(r"\[.[^]]*\]|\?", re.DOTALL)
_WILDCARD = re.compile(rf"{_ONE_CHARACTER.pattern}|\*", re.DOTALL)


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
        yield f"{path}.critical", f"{exact(given[1])} comes before the warning at {exact(given[0])}"


def metric_mistakes(path: str, metric: str) -> Iterator[Fault]:
    """Check that readings can have a metric of this name."""
    own = metric_of(metric)
    if own is None:
        yield path, f"{metric!r} is no name of a metric"
    elif own != metric:
        yield path, f"no reading has {metric!r}: it is called `{own}`, in {UNITS[own]}"


def glob_mistakes(path: str, globs: Iterable[str]) -> Iterator[Fault]:
    """Check that an id or a site can match each glob."""
    for index, glob in enumerate(globs):
        if not all(map(is_name, glob)):
            yield f"{path}[{index}]", f"{glob!r} has control characters, which no id and no site has"


def longest_literal(glob: str) -> str:
    """The longest text without wildcards in a glob. Each glob that it covers has that text, too."""
    return max(_WILDCARD.split(glob), key=len)


def covers(general: str, special: str) -> bool:
    """Whether all that the glob `special` matches is surely matched by `general`."""
    if general in ("*", special):
        return True
    # Whatever stands for a wildcard is a character that no pattern names, so that only a wildcard can match it.
    parts = _ONE_CHARACTER.sub("\ue000", special).split("*")
    if "[!" in general or len(parts) > _MOST_STARS:
        return False
    between = product(("", "\ue000" * (len(general) + 1)), repeat=len(parts) - 1)
    return all(fnmatchcase("".join(_alternate(parts, fill)), general) for fill in between)


def _alternate(parts: list[str], between: tuple[str, ...]) -> Iterator[str]:
    for part, fill in zip(parts, (*between, ""), strict=True):
        yield part + fill
