"""One sentence for each revision of an alert on readings: what is so, in words that a person can act on."""

from fleetpulse.alerts import AlertState
from fleetpulse.records.metrics import UNITS
from fleetpulse.rules.levels import LevelChange
from fleetpulse.rules.model import (
    Battery,
    Circle,
    Condition,
    Deviation,
    Flapping,
    Geofence,
    Missing,
    OfReadings,
    Rate,
    Stuck,
    Threshold,
)

_PERIODS = {1_000: "s", 60_000: "min", 3_600_000: "h"}


def metric_of(rule: OfReadings) -> str | None:
    """The metric that a rule is about, if it is one."""
    if isinstance(rule, Battery):
        return "battery"
    return None if isinstance(rule, Geofence | Condition | Flapping) else rule.metric


def unit_of(rule: OfReadings) -> str | None:
    """The unit of the value and the limit of a rule's alerts."""
    unit = UNITS.get(metric_of(rule) or "")
    match rule:
        case Rate():
            return f"{unit or ''}/{_PERIODS.get(int(rule.per), rule.per)}"
        case Deviation():
            return "σ"
        case Missing():
            return "s"
        case Geofence():
            return "m" if isinstance(rule.area, Circle) else None
        case Flapping():
            return "openings"
        case Condition():
            return None
    return unit


def sentence(rule: OfReadings, device_id: str, state: AlertState, change: LevelChange, opened_at_ms: int) -> str:
    """The summary of a revision."""
    if state is AlertState.RECOVERED:
        lasted_s = (change.time_ms - opened_at_ms) / 1000
        return f"{device_id}: {_calm(rule, change)} after {lasted_s:.0f} s."
    return f"{device_id}: {_alarm(rule, change)}."


def _alarm(rule: OfReadings, change: LevelChange) -> str:
    unit = unit_of(rule) or ""
    lasting_s = (change.time_ms - change.since_ms) / 1000
    lasting = f", for {lasting_s:.0f} s" if lasting_s >= 1 else ""
    match rule:
        case Threshold() | Battery():
            assert change.value is not None
            assert change.limit is not None
            above = (
                isinstance(rule, Threshold) and rule.above and change.limit in (rule.above.warning, rule.above.critical)
            )
            side = "above" if above else "below"
            if not (change.value > change.limit if above else change.value < change.limit):  # within the hysteresis
                side = f"not yet {rule.hysteresis:g} {'below' if above else 'above'}"
            return f"{metric_of(rule)} is {_number(change.value, unit)}, {side} {_number(change.limit, unit)}{lasting}"
        case Rate():
            value, limit = _number(change.value, ""), _number(change.limit, "")
            return f"{rule.metric} changes by {value} {unit}, more than {limit}{lasting}"
        case Stuck():
            return f"{rule.metric} has been {_number(change.value, unit)} for {lasting_s:.0f} s without moving"
        case Missing():
            return f"it speaks, but has not told {rule.metric} for {_number(change.value, 's')}"
        case Geofence():
            return f"it is {rule.alert} its area{_how_far(rule, change)}{lasting}"
        case Deviation():
            return f"{rule.metric} is {_number(change.value, 'σ')} away from what is usual for it{lasting}"
        case Condition():
            return f"the condition {rule.id} holds{lasting}"
        case Flapping():
            return f"{rule.rule} opened {_number(change.value, '')} times within {rule.within}"


def _calm(rule: OfReadings, change: LevelChange) -> str:
    unit = unit_of(rule) or ""
    match rule:
        case Threshold() | Battery():
            return f"{metric_of(rule)} is back within its limits at {_number(change.value, unit)}"
        case Rate():
            return f"{rule.metric} no longer changes too fast"
        case Stuck():
            return f"{rule.metric} moves again"
        case Missing():
            return f"{rule.metric} is told again"
        case Geofence():
            return f"it is no longer {rule.alert} its area{_how_far(rule, change)}"
        case Deviation():
            return f"{rule.metric} is usual again"
        case Condition():
            return f"the condition {rule.id} no longer holds"
        case Flapping():
            return f"{rule.rule} no longer flaps, it opened {_number(change.value, '')} times"


def _how_far(rule: Geofence, change: LevelChange) -> str:
    return f", {change.value:,.0f} m from its middle" if isinstance(rule.area, Circle) else ""


def _number(value: float | None, unit: str) -> str:
    assert value is not None
    text = f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return f"{text} {unit}".rstrip()
