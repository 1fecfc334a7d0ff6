"""Timeouts of devices, by the job's setting or by a rule, and the revisions of alerts on silence."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from fleetpulse.alerts import AlertState, Revision
from fleetpulse.durations import DAY_MS
from fleetpulse.rules.checks import RULE_ID
from fleetpulse.rules.kinds.inactivity import Inactivity, describe_end, describe_silence
from fleetpulse.rules.kinds.never_seen import NeverSeen, describe_absence
from fleetpulse.rules.versions import Version
from fleetpulse.times import first_multiple_after, iso

INACTIVITY, NEVER_SEEN, CLOCK = "inactivity", "never_seen", "clock"
Heartbeat = tuple[int, str]  # when a device was seen (epoch ms), and its id; sorts by time


class Silence(NamedTuple):
    """How long a device may be silent, and by which rule of which version of the rules (0: the job's own)."""

    rule_id: str
    timeout_ms: int
    kind: str = INACTIVITY
    severity: str = "critical"
    version: int = 0


@dataclass(frozen=True, slots=True)
class InactivityPolicy:
    """When silence is an alert. All durations in milliseconds of event time.

    With `report_every_evaluation` each silent device is also reported at each evaluation instant. A clock that is wrong
    by more than `max_clock_offset_ms` is an alert too.
    """

    timeout_ms: int = 60_000
    evaluation_period_ms: int = 30_000
    forget_after_ms: int = 7 * DAY_MS
    report_every_evaluation: bool = False
    max_clock_offset_ms: int = 300_000

    def silent_at(self, last_seen_ms: int, timeout_ms: int) -> int:
        """The first evaluation instant at which a device last seen then is silent."""
        return first_multiple_after(last_seen_ms + timeout_ms, self.evaluation_period_ms)

    def forgotten_at(self, last_seen_ms: int, alert_until_ms: int = 0) -> int:
        """The first evaluation instant at which a silent device is forgotten, whose alert must last until then."""
        return first_multiple_after(max(last_seen_ms + self.forget_after_ms, alert_until_ms), self.evaluation_period_ms)


class OpenSilence(NamedTuple):
    """The silence a device is in: since when it is known, and what was its last heartbeat then (epoch ms).

    The rest is of the rule that it was opened by; of the job's own timeout where nothing is said.
    """

    opened_at_ms: int
    latest_event_time_ms: int
    silence: Silence | None = None


class Silences:
    """The silences of a version of the rules."""

    def __init__(self, version: Version | None, timeout_ms: int) -> None:
        self.version = version.version if version else 0
        self.since_ms = version.since_ms if version else 0
        rules = version.rules.rules if version else ()
        self._default = Silence(RULE_ID, timeout_ms)
        self._classes = [
            (rule.scope.devices, Silence(rule.id, int(rule.timeout), INACTIVITY, rule.severity, self.version))
            for rule in rules
            if isinstance(rule, Inactivity)
        ]
        self._known: dict[str, Silence] = {}
        self.expected = {
            device_id: Silence(rule.id, int(rule.within), NEVER_SEEN, rule.severity, self.version)
            for rule in reversed(rules)
            if isinstance(rule, NeverSeen)
            for device_id in rule.devices
        }
        """Devices that must report; of several rules for one the first counts."""

    def still_have(self, silence: Silence, device_id: str) -> bool:
        """Whether the rule that opened an alert is still there, and still for its device."""
        if silence.kind == NEVER_SEEN:
            return self.expected.get(device_id, self._default).rule_id == silence.rule_id
        return self.of(device_id).rule_id == silence.rule_id

    def of(self, device_id: str) -> Silence:
        """What counts for a device: the first rule for it, else the job's own timeout."""
        if not self._classes:
            return self._default
        silence = self._known.get(device_id)
        if silence is None:
            silence = next(
                (silence for globs, silence in self._classes if any(fnmatchcase(device_id, glob) for glob in globs)),
                self._default,
            )
            self._known[device_id] = silence
        return silence


def timeout_ms(alert: OpenSilence, policy: InactivityPolicy) -> int:
    return policy.timeout_ms if alert.silence is None else alert.silence.timeout_ms


def opened(device_id: str, alert: OpenSilence, policy: InactivityPolicy) -> Revision:
    silent_s, limit_s = (alert.opened_at_ms - alert.latest_event_time_ms) / 1000, timeout_ms(alert, policy) / 1000
    never = alert.silence is not None and alert.silence.kind == NEVER_SEEN
    describe = describe_absence if never else describe_silence
    summary = describe(device_id, silent_s, limit_s, iso(alert.latest_event_time_ms))
    plain = {"device-id": device_id, "latest-event-time": alert.latest_event_time_ms}
    return _revision(device_id, alert, AlertState.OPEN, alert.opened_at_ms, policy, summary, {}, plain)


def ended(
    device_id: str,
    alert: OpenSilence,
    state: AlertState,
    changed_at_ms: int,
    seen_at_ms: int | None,
    policy: InactivityPolicy,
) -> Revision:
    """The end of an alert by a heartbeat, or without one because its rule is no longer there."""
    if seen_at_ms is None:
        summary = f"{device_id}: the alert ends, its rule is no longer there."
        return _revision(device_id, alert, state, changed_at_ms, policy, summary, {}, {})
    silent_s = (seen_at_ms - alert.latest_event_time_ms) / 1000
    summary = describe_end(device_id, state, silent_s, timeout_ms(alert, policy) / 1000, iso(seen_at_ms))
    return _revision(device_id, alert, state, changed_at_ms, policy, summary, {"seen_at_ms": seen_at_ms}, {})


def _revision(
    device_id: str,
    alert: OpenSilence,
    state: AlertState,
    changed_at_ms: int,
    policy: InactivityPolicy,
    summary: str,
    evidence: dict[str, object],
    extra: dict[str, object],
) -> Revision:
    silent_ms = alert.opened_at_ms - alert.latest_event_time_ms
    silence = alert.silence or Silence(RULE_ID, policy.timeout_ms)
    version = {"rule_version": silence.version} if silence.version else {}
    return Revision(
        rule_id=silence.rule_id,
        kind=silence.kind,
        severity=silence.severity,
        device_id=device_id,
        revision=1 if state is AlertState.OPEN else 2,
        state=state,
        opened_at_ms=alert.opened_at_ms,
        changed_at_ms=changed_at_ms,
        value=silent_ms / 1000,
        unit="s",
        limit=silence.timeout_ms / 1000,
        summary=summary,
        evidence={"latest_event_time_ms": alert.latest_event_time_ms, "silent_ms": silent_ms, **evidence},
        extra=extra | version,
    )
