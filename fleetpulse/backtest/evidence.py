"""Checks a revision of an alert against itself and the rule that made it."""

from collections.abc import Iterator
from typing import Any

from fleetpulse.alerts import alert_id
from fleetpulse.inactivity.timeouts import CLOCK, INACTIVITY, NEVER_SEEN, InactivityPolicy
from fleetpulse.numbers import exact, number
from fleetpulse.rules.evidence import LIVE, Check
from fleetpulse.rules.kinds import Rule
from fleetpulse.rules.kinds.inactivity import silence_checks
from fleetpulse.rules.rule import ReadingRule
from fleetpulse.times import iso, to_epoch_ms


def checks(fields: dict[str, Any], rule: Rule | None, policy: InactivityPolicy | None) -> list[Check]:
    """Yield the claims of a revision that must hold.

    Args:
        fields: those of the revision.
        rule: the rule that it names, of the version that it names; None if it has no such rule.
        policy: when silence is evaluated.
    """
    opened_at_ms = to_epoch_ms(fields["opened_at"])
    named = str(alert_id(fields["rule_id"], fields["device_id"], opened_at_ms))
    found = [Check("the id is that of its rule, device and opening", named == fields["alert_id"])]
    if fields["kind"] in (INACTIVITY, NEVER_SEEN):
        return [*found, *silence_checks(fields), *_at_an_instant(opened_at_ms, policy)]
    if fields["kind"] == CLOCK:
        return [*found, _of_clock(fields), *_at_an_instant(opened_at_ms, policy)]
    if not isinstance(rule, ReadingRule):
        return [*found, Check(f"the rules have a rule {fields['rule_id']}", False)]
    return found + list(_of_readings(fields, rule))


def _of_clock(fields: dict[str, Any]) -> Check:
    offset_ms, limit_s = fields["evidence"]["offset_ms"], fields["limit"]
    is_beyond = abs(offset_ms) > limit_s * 1000 and round(fields["value"] * 1000) == offset_ms
    off = number(abs(offset_ms) / 1000, "s", beside=[limit_s])
    return Check(f"its clock was off by {off}, more than {exact(limit_s)} s", is_beyond)


def _at_an_instant(opened_at_ms: int, policy: InactivityPolicy | None) -> Iterator[Check]:
    if policy is not None:
        claim = f"that is an instant of evaluation, every {exact(policy.evaluation_period_ms / 1000)} s"
        yield Check(claim, opened_at_ms % policy.evaluation_period_ms == 0)


def _of_readings(fields: dict[str, Any], rule: ReadingRule) -> Iterator[Check]:
    evidence = fields["evidence"]
    lasted_ms = to_epoch_ms(fields["changed_at"]) - evidence["since_ms"]
    yield Check(f"it had lasted since {iso(evidence['since_ms'])}", lasted_ms == evidence["for_ms"])
    hold_ms = getattr(rule, "hold", None)
    if fields["state"] in LIVE and hold_ms is not None:
        lasted = number(lasted_ms / 1000, "s", beside=[hold_ms / 1000])
        yield Check(f"that is {lasted}, at least {hold_ms}", lasted_ms >= hold_ms)
    yield from rule.checks(fields)
