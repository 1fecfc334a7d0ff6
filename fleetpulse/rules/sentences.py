"""One sentence for each revision of an alert on readings: what happened, in words that a person can act on."""

from fleetpulse.alerts import AlertState
from fleetpulse.numbers import number
from fleetpulse.rules.levels import LevelChange
from fleetpulse.rules.rule import ReadingRule


def sentence(rule: ReadingRule, device_id: str, state: AlertState, change: LevelChange, opened_at_ms: int) -> str:
    """The summary of a revision."""
    if state is AlertState.RECOVERED:
        lasted_s = (change.time_ms - opened_at_ms) / 1000
        return f"{device_id}: {rule.describe_recovery(change)} after {lasted_s:.0f} s."
    return f"{device_id}: {rule.describe(change)}."


def lasting(change: LevelChange) -> str:
    """How long the level has lasted, as the end of a sentence; empty below a second."""
    lasting_s = (change.time_ms - change.since_ms) / 1000
    return f", for {lasting_s:.0f} s" if lasting_s >= 1 else ""


def measured(change: LevelChange, unit: str | None = None) -> str:
    """The value of a change with its unit, on its own side of the limit of the change."""
    assert change.value is not None
    return number(change.value, unit, beside=() if change.limit is None else [change.limit])
