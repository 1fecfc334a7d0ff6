"""Checks of an alert's evidence: the numbers of a revision, compared to the rule that made it."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fleetpulse.alerts import AlertState
from fleetpulse.numbers import exact, number
from fleetpulse.rules.levels import ABOVE, BELOW, CRITICAL, NONE, WARNING, Limits

LIVE = (AlertState.OPEN, AlertState.UPDATED)
Fields = Mapping[str, Any]
"""Those of a revision, as on the alerts topic."""


class Check(NamedTuple):
    """Something that must be so, and whether it is."""

    claim: str
    holds: bool


def limit_checks(revision: Fields, limits: Limits) -> Iterator[Check]:
    """Check a revision's value against the limits of the rule."""
    value, limit = revision["value"], revision["limit"]
    shown, shown_limit = number(value, beside=[limit]), exact(limit)
    level = CRITICAL if revision["severity"] == "critical" else WARNING
    sides = [side for side in (ABOVE, BELOW) if limits.limit(side * level) == limit]
    if revision["state"] in LIVE:
        # A level that is held ends only beyond the hysteresis, so that a value may count that would not begin one.
        beyond = any(side * limits.level(value, side * CRITICAL) >= level for side in sides)
        if any(side * value > side * limit for side in sides) or not beyond:
            yield Check(f"the value {shown} is beyond the limit {shown_limit} for {revision['severity']}", beyond)
            return
        yield Check(f"the value {shown} is within the hysteresis of the limit {shown_limit}", beyond)
        if (began := revision["evidence"].get("began")) is not None:
            first, was_beyond = number(began[1], beside=[limit]), any(side * began[1] > side * limit for side in sides)
            yield Check(f"the value {first} that began it was beyond that limit", was_beyond)
    elif revision["state"] == AlertState.RECOVERED:
        within = not any(side * limits.level(value) > NONE for side in sides or (ABOVE, BELOW))
        yield Check(f"the value {shown} is within the limits of that side", within)
