"""Inactivity: which device has gone silent, decided on event time.

At every multiple T of the evaluation period a device is silent when `T - last_seen > timeout`, counting seen times
before T. A silence opens one alert; a record that is recent enough for the clock ends it. The same seen times in order
give the same alerts, however they were batched. A claim is a time at which a device says it lived, in a record that was
not seen then: it is believed of a device that is known, and ends no alert but one that it shows to be wrong. Rules may
give classes of devices timeouts of their own, and name devices that must report: one that has never done so counts as
last seen when the rules took effect.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence

from fleetpulse.alerts import AlertState
from fleetpulse.inactivity.devices import NEVER_MS, NOBODY, Devices, InactivityOutput, SilentDevice, everybody
from fleetpulse.inactivity.schedule import Schedule
from fleetpulse.inactivity.timeouts import (
    Heartbeat,
    InactivityPolicy,
    OpenSilence,
    Silence,
    Silences,
    ended,
    opened,
    timeout_ms,
)
from fleetpulse.rules.checks import RULE_ID
from fleetpulse.rules.versions import Version, Versions, following, in_force, merged


class InactivityWatch:
    """The devices of one shard, and which of them are silent."""

    def __init__(
        self,
        policy: InactivityPolicy,
        devices: Devices = NOBODY,
        decided_until_ms: int = 0,
        versions: Versions = (),
        owns: Callable[[str], bool] = everybody,
    ) -> None:
        self._policy = policy
        self._versions, self._owns = versions, owns
        self._silences = Silences(in_force(versions, decided_until_ms), policy.timeout_ms)
        seen = zip(devices.ids, devices.last_seen_ms, strict=True)
        self._last_seen = {device_id: seen_ms for device_id, seen_ms in seen if seen_ms != NEVER_MS}
        self._alerts = dict(devices.alerts)
        self._schedule = Schedule(policy.evaluation_period_ms, decided_until_ms)
        self._changed: set[str] = set()
        self._excused_until_ms = 0
        self._await_all()
        if self._alerts and policy.report_every_evaluation:
            self._schedule.add(decided_until_ms)

    @property
    def decided_until_ms(self) -> int:
        """Up to where everything is decided."""
        return self._schedule.decided_until_ms

    @property
    def known(self) -> int:
        """How many devices are known."""
        return len(self._last_seen)

    @property
    def silent(self) -> int:
        """How many of them are silent."""
        return len(self._alerts)

    def last_seen_ms(self, device_id: str) -> int:
        """When a device was last seen; 0 where it is not known."""
        return self._last_seen.get(device_id, 0)

    @property
    def next_instant_ms(self) -> int | None:
        """The next instant at which anything can change without a heartbeat; None where nothing can."""
        instants = [at for at in [self._schedule.next_instant_ms] if at is not None]
        change = following(self._versions, self._silences.version)
        if change is not None:
            instants.append(max(change.effective_from_ms, self.decided_until_ms + 1))
        return min(instants, default=None)

    def devices(self) -> Devices:
        """All devices, as `InactivityWatch` takes them."""
        unheard = [device_id for device_id in self._alerts if device_id not in self._last_seen]
        last_seen_ms = [*self._last_seen.values(), *[NEVER_MS] * len(unheard)]
        return Devices([*self._last_seen, *unheard], last_seen_ms, self._alerts)

    def take_changed(self) -> Devices:
        """The devices that changed since the last call."""
        ids, last_seen, alerts = list(self._changed), self._last_seen, self._alerts
        self._changed.clear()
        open_alerts = {device_id: alerts[device_id] for device_id in ids if device_id in alerts} if alerts else {}
        forgotten_ms = [NEVER_MS if device_id in open_alerts else 0 for device_id in ids]
        return Devices(ids, list(map(last_seen.get, ids, forgotten_ms)), open_alerts)

    def learn(self, versions: Versions) -> None:
        """Take versions of the rules. One that should be in force already takes effect now."""
        self._versions = merged(self._versions, versions)

    def excuse(self, until_ms: int) -> None:
        """Count every device that is not silent as seen at `until_ms`: what it sent before may be lost."""
        self._excused_until_ms = max(until_ms, self._excused_until_ms)
        for device_id, last_seen_ms in self._last_seen.items():
            if last_seen_ms < until_ms and device_id not in self._alerts:
                self._last_seen[device_id] = until_ms
                self._changed.add(device_id)

    def _await_all(self) -> None:
        """Schedule every device: those that are seen, and those that must report and have not."""
        for device_id, last_seen_ms in self._last_seen.items():
            if device_id in self._alerts:
                self._await_forgetting(device_id)
            else:
                self._await_silence(device_id, last_seen_ms)
        for device_id, silence in self._silences.expected.items():
            heard = device_id in self._last_seen or device_id in self._alerts
            if not heard and self._owns(device_id):
                self._schedule.await_silence(device_id, self._unheard_at(silence))

    def _unheard_at(self, silence: Silence) -> int:
        """The first evaluation instant at which a device that must report, and never has, is silent."""
        since_ms = max(self._silences.since_ms, self._excused_until_ms)
        return self._policy.silent_at(since_ms, silence.timeout_ms)

    def advance(
        self, heartbeats: Sequence[Heartbeat], until_ms: int, claims: Sequence[Heartbeat] = ()
    ) -> list[InactivityOutput]:
        """Decide up to `until_ms`, by the rules that are in force at each instant; see `_advance`.

        Claims come in order of time too; at one time a claim comes before a heartbeat.
        """
        outputs: list[InactivityOutput] = []
        while (version := following(self._versions, self._silences.version)) is not None:
            effective_ms = version.effective_from_ms
            if effective_ms > until_ms:
                break
            if effective_ms > self.decided_until_ms:
                cut, claimed = (bisect_left(times, (effective_ms, "")) for times in (heartbeats, claims))
                outputs += self._advance_by_claims(heartbeats[:cut], claims[:claimed], effective_ms - 1)
                heartbeats, claims = heartbeats[cut:], claims[claimed:]
            outputs += self._take_effect(version, max(effective_ms, self.decided_until_ms))
        return outputs + self._advance_by_claims(heartbeats, claims, until_ms)

    def _advance_by_claims(
        self, heartbeats: Sequence[Heartbeat], claims: Sequence[Heartbeat], until_ms: int
    ) -> list[InactivityOutput]:
        if not claims:
            return self._advance(heartbeats, until_ms)
        outputs: list[InactivityOutput] = []
        start = 0
        for claimed_ms, device_id in claims:
            cut = bisect_left(heartbeats, (claimed_ms, ""), start)
            outputs += self._advance(heartbeats[start:cut], min(claimed_ms, until_ms))
            start = cut
            if self._last_seen.get(device_id, claimed_ms) < claimed_ms:
                self._last_seen[device_id] = claimed_ms
                self._changed.add(device_id)
        return outputs + self._advance(heartbeats[start:], until_ms)

    def claim(self, device_id: str, claimed_ms: int, heard_at_ms: int) -> list[InactivityOutput]:
        """Take a claim about a time that is decided already, of a record that was heard then."""
        alert = self._alerts.get(device_id)
        if alert is None:
            if self._last_seen.get(device_id, claimed_ms) < claimed_ms:
                self._last_seen[device_id] = claimed_ms
                self._changed.add(device_id)
            return []
        allowed_ms = timeout_ms(alert, self._policy)
        shows_life = alert.opened_at_ms - allowed_ms <= claimed_ms < alert.opened_at_ms
        if shows_life and self.decided_until_ms - heard_at_ms <= allowed_ms:
            self._last_seen[device_id] = max(self._last_seen.get(device_id, 0), claimed_ms)
            return self._end(device_id, claimed_ms)
        return []

    def _take_effect(self, version: Version, at_ms: int) -> list[InactivityOutput]:
        """Judge by other rules from an instant on, whatever was decided by others before."""
        self._silences = Silences(version, self._policy.timeout_ms)
        outputs: list[InactivityOutput] = []
        for device_id, alert in sorted(self._alerts.items()):
            if alert.silence is not None and not self._silences.still_have(alert.silence, device_id):
                del self._alerts[device_id]
                self._changed.add(device_id)
                outputs.append(ended(device_id, alert, AlertState.CANCELLED, at_ms, None, self._policy))
        self._schedule.clear_silence()
        self._await_all()
        return outputs

    def _next_evaluation_ms(self, until_ms: int) -> int:
        instant_ms = self._schedule.next_instant_ms
        return until_ms + 1 if instant_ms is None else instant_ms

    def _advance(self, heartbeats: Sequence[Heartbeat], until_ms: int) -> list[InactivityOutput]:
        """Decide up to `until_ms`: every instant before the heartbeats that come after it.

        Args:
            heartbeats: in order of time; those later than `until_ms` move no instant beyond it.
            until_ms: the clock; never goes back.
        """
        revisions: list[InactivityOutput] = []
        last_seen, alerts, changed = self._last_seen, self._alerts, self._changed
        decided = self.decided_until_ms
        due = self._next_evaluation_ms(until_ms)
        for seen_at_ms, device_id in heartbeats:
            if due <= seen_at_ms and due <= until_ms:
                revisions += self._evaluate_until(min(seen_at_ms, until_ms))
                due = self._next_evaluation_ms(until_ms)
            seen = last_seen.get(device_id)
            if seen is None:
                # It may have spoken before records were lost, and was not known yet when that was found.
                last_seen[device_id] = seen = max(seen_at_ms, self._excused_until_ms)
                due = min(due, self._await_silence(device_id, seen))
            elif seen_at_ms > seen:
                last_seen[device_id] = seen_at_ms
            if device_id in alerts:
                # One that is older than the timeout ends none: the device only lags.
                clock_ms = max(decided, min(seen_at_ms, until_ms))
                if clock_ms - seen_at_ms <= timeout_ms(alerts[device_id], self._policy):
                    revisions += self._end(device_id, seen_at_ms)
                due = self._next_evaluation_ms(until_ms)
            changed.add(device_id)
        revisions += self._evaluate_until(until_ms)
        self._schedule.decided_until_ms = max(decided, until_ms)
        return revisions

    def _evaluate_until(self, until_ms: int) -> list[InactivityOutput]:
        revisions: list[InactivityOutput] = []
        while (instant_ms := self._schedule.pop(until_ms)) is not None:
            revisions += self._open_silent(instant_ms)
            revisions += self._forget_silent(instant_ms)
            if self._policy.report_every_evaluation and self._alerts:
                revisions += [SilentDevice(d, self._last_seen[d]) for d in sorted(self._alerts) if d in self._last_seen]
                self._schedule.add(instant_ms + self._policy.evaluation_period_ms)
        return revisions

    def _open_silent(self, instant_ms: int) -> list[InactivityOutput]:
        revisions: list[InactivityOutput] = []
        for device_id in sorted(self._schedule.take_silent(instant_ms) - self._alerts.keys()):
            last_seen_ms = self._last_seen.get(device_id)
            if last_seen_ms is None:
                if (at_ms := self._unheard_at(self._silences.expected[device_id])) > instant_ms:
                    self._schedule.await_silence(device_id, at_ms)
                else:
                    revisions += self._open_never_seen(device_id, instant_ms)
                continue
            silence = self._silences.of(device_id)
            if self._policy.silent_at(last_seen_ms, silence.timeout_ms) > instant_ms:
                self._await_silence(device_id, last_seen_ms)
                continue
            own = None if silence.rule_id == RULE_ID else silence
            alert = self._alerts[device_id] = OpenSilence(instant_ms, last_seen_ms, own)
            self._changed.add(device_id)
            self._await_forgetting(device_id)
            revisions.append(opened(device_id, alert, self._policy))
        return revisions

    def _open_never_seen(self, device_id: str, instant_ms: int) -> list[InactivityOutput]:
        silence = self._silences.expected[device_id]
        alert = self._alerts[device_id] = OpenSilence(instant_ms, self._silences.since_ms, silence)
        self._changed.add(device_id)
        return [opened(device_id, alert, self._policy)]

    def _forget_silent(self, instant_ms: int) -> list[InactivityOutput]:
        revisions: list[InactivityOutput] = []
        for device_id in self._schedule.take_forgotten(instant_ms):
            alert = self._alerts.get(device_id)
            if alert is None:
                continue  # it came back since
            last_seen_ms = self._last_seen[device_id]
            if device_id in self._silences.expected:
                continue  # who must report is never forgotten, or would count as never seen
            if self._forgotten_at(device_id) > instant_ms:
                self._await_forgetting(device_id)
                continue
            del self._alerts[device_id], self._last_seen[device_id]
            self._changed.add(device_id)
            revisions.append(ended(device_id, alert, AlertState.EXPIRED, instant_ms, last_seen_ms, self._policy))
        return revisions

    def _end(self, device_id: str, seen_at_ms: int) -> list[InactivityOutput]:
        alert = self._alerts.pop(device_id)
        self._changed.add(device_id)
        self._last_seen[device_id] = max(self._last_seen[device_id], self._excused_until_ms)
        self._await_silence(device_id, self._last_seen[device_id])
        if seen_at_ms >= alert.opened_at_ms:
            return [ended(device_id, alert, AlertState.RECOVERED, seen_at_ms, seen_at_ms, self._policy)]
        return [ended(device_id, alert, AlertState.CANCELLED, alert.opened_at_ms, seen_at_ms, self._policy)]

    def _await_silence(self, device_id: str, last_seen_ms: int) -> int:
        timeout_ms = self._silences.of(device_id).timeout_ms
        return self._schedule.await_silence(device_id, self._policy.silent_at(last_seen_ms, timeout_ms))

    def _forgotten_at(self, device_id: str) -> int:
        """When a device with an alert is forgotten: an alert lasts for the timeout once more, at least."""
        alert = self._alerts[device_id]
        alert_until_ms = alert.opened_at_ms + timeout_ms(alert, self._policy)
        return self._policy.forgotten_at(self._last_seen[device_id], alert_until_ms)

    def _await_forgetting(self, device_id: str) -> None:
        self._schedule.await_forgetting(device_id, self._forgotten_at(device_id))
