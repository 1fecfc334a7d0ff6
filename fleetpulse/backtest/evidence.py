"""Derives the verdict of a revision again from what it tells: its numbers, held against the rule that made it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from fleetpulse.alerts import AlertState, alert_id
from fleetpulse.inactivity.timeouts import INACTIVITY, NEVER_SEEN, InactivityPolicy
from fleetpulse.rules.evaluators import evaluator_of
from fleetpulse.rules.levels import CRITICAL, NONE, WARNING
from fleetpulse.rules.model import Battery, Deviation, Flapping, Geofence, Rate, Rule, Threshold
from fleetpulse.times import iso, to_epoch_ms

_LIVE = (AlertState.OPEN, AlertState.UPDATED)
_OfValues = Threshold | Battery | Rate | Deviation | Geofence


class Check(NamedTuple):
    """Something that must be so, and whether it is."""

    claim: str
    holds: bool


def checks(told: dict[str, Any], rule: Rule | None, policy: InactivityPolicy | None) -> list[Check]:
    """What must be so of a revision.

    Args:
        told: its fields.
        rule: the rule that it names, of the version that it names; None where there is none.
        policy: when silence is judged.
    """
    opened_at_ms = to_epoch_ms(told["opened_at"])
    named = str(alert_id(told["rule_id"], told["device_id"], opened_at_ms))
    found = [Check("the id is that of its rule, device and opening", named == told["alert_id"])]
    if told["kind"] in (INACTIVITY, NEVER_SEEN):
        return found + list(_of_silence(told, opened_at_ms, policy))
    if rule is None:
        return [*found, Check(f"the rules have a rule {told['rule_id']}", False)]
    return found + list(_of_readings(told, rule))


def _of_silence(told: dict[str, Any], opened_at_ms: int, policy: InactivityPolicy | None) -> Iterator[Check]:
    evidence = told["evidence"]
    silent_ms = opened_at_ms - evidence["latest_event_time_ms"]
    yield Check(
        f"at {told['opened_at']} it had been silent for {silent_ms / 1000:g} s, more than {told['limit']:g} s",
        silent_ms > told["limit"] * 1000 and silent_ms == evidence["silent_ms"] == round(told["value"] * 1000),
    )
    if policy is not None:
        claim = f"that is an instant of evaluation, every {policy.evaluation_period_ms / 1000:g} s"
        yield Check(claim, opened_at_ms % policy.evaluation_period_ms == 0)
    seen_at_ms = evidence.get("seen_at_ms")
    if told["state"] == AlertState.RECOVERED:
        yield Check(
            f"it spoke at {told['changed_at']}, not before the alert was opened",
            seen_at_ms == to_epoch_ms(told["changed_at"]) and seen_at_ms >= opened_at_ms,
        )
    elif told["state"] == AlertState.CANCELLED and seen_at_ms is not None:
        yield Check(f"it had spoken at {iso(seen_at_ms)}, before the alert was opened", seen_at_ms < opened_at_ms)


def _of_readings(told: dict[str, Any], rule: Rule) -> Iterator[Check]:
    evidence, value, state = told["evidence"], told["value"], told["state"]
    changed_at_ms = to_epoch_ms(told["changed_at"])
    lasted_ms = changed_at_ms - evidence["since_ms"]
    yield Check(f"it had lasted since {iso(evidence['since_ms'])}", lasted_ms == evidence["for_ms"])
    hold_ms = getattr(rule, "hold", None)
    if state in _LIVE and hold_ms is not None:
        yield Check(f"that is {lasted_ms / 1000:g} s, at least {hold_ms}", lasted_ms >= hold_ms)
    if isinstance(rule, _OfValues):
        yield from _of_values(rule, value, told["limit"], told["severity"], state)
    elif isinstance(rule, Flapping) and state == AlertState.OPEN:
        yield Check(f"{value:g} openings are at least {rule.opens}", value >= rule.opens == told["limit"])
        yield Check(f"they came within {rule.within}", lasted_ms <= rule.within)


def _of_values(rule: _OfValues, value: float, limit: float, severity: str, state: str) -> Iterator[Check]:
    limits = evaluator_of(0, rule).tracker.limits
    level = CRITICAL if isinstance(rule, Geofence) or severity == "critical" else WARNING
    if state in _LIVE:
        # A level that is held ends only beyond the hysteresis, so that a value may count that would not begin one.
        beyond = limits.level(value, CRITICAL) >= level and limits.limit(value, level) == limit
        yield Check(f"the value {value:g} is beyond the limit {limit:g} for {severity}", beyond)
    elif state == AlertState.RECOVERED:
        yield Check(f"the value {value:g} is within the limits", limits.level(value, NONE) == NONE)
