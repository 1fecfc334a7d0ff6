"""Inactivity: which device has gone silent, decided on event time.

At every multiple T of the evaluation period a device is silent when `T - last_seen > timeout`, counting life times
before T. A silence opens one alert; a record that is recent enough for the clock ends it. The same life times in order
give the same alerts, however they were batched.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fleetpulse.alerts import Revision, State
from fleetpulse.times import first_multiple_after, iso

RULE_ID = "inactivity"


@dataclass(frozen=True, slots=True)
class InactivityPolicy:
    """When silence is an alert. All durations in milliseconds of event time.

    With `report_every_evaluation` each silent device is also reported at each evaluation instant.
    """

    timeout_ms: int = 60_000
    evaluation_period_ms: int = 30_000
    forget_after_ms: int = 7 * 86_400_000
    report_every_evaluation: bool = False

    def silent_at(self, last_seen_ms: int) -> int:
        """The first evaluation instant at which a device last seen then is silent."""
        return first_multiple_after(last_seen_ms + self.timeout_ms, self.evaluation_period_ms)

    def forgotten_at(self, last_seen_ms: int) -> int:
        """The first evaluation instant at which a silent device is forgotten."""
        return first_multiple_after(last_seen_ms + self.forget_after_ms, self.evaluation_period_ms)


class OpenAlert(NamedTuple):
    """The silence a device is in: since when it is known, and what was its last sign of life then (epoch ms)."""

    opened_at_ms: int
    latest_event_time_ms: int


class Devices(NamedTuple):
    """What is kept of devices: ids, when each was last seen (0 once it is forgotten), and the open alerts by id."""

    ids: list[str]
    last_seen_ms: list[int]
    alerts: dict[str, OpenAlert]


_NOBODY = Devices([], [], {})
LifeSign = tuple[int, str]  # when a device spoke (epoch ms), and its id; sorts by time


class SilentDevice(NamedTuple):
    """A device that is silent at an evaluation instant."""

    device_id: str
    latest_event_time_ms: int


Verdict = Revision | SilentDevice


class InactivityWatch:
    """The devices of one shard and when to look at them next.

    Devices wait in buckets, one an evaluation instant, so that an instant costs the devices that may have fallen
    silent by then, not all of them. Buckets are derived: they are built again from the devices.
    """

    def __init__(self, policy: InactivityPolicy, devices: Devices = _NOBODY, decided_until_ms: int = 0) -> None:
        self._policy = policy
        self._last_seen = dict(zip(devices.ids, devices.last_seen_ms, strict=True))
        self._alerts = dict(devices.alerts)
        self._due: dict[int, list[str]] = {}
        self._expiring: dict[int, list[str]] = {}
        self._to_forget: set[str] = set()  # who is in `_expiring`
        self._instants: list[int] = []  # a heap of what `_due` and `_expiring` hold, and of the instants to report at
        self._awaited: set[int] = set()
        self._changed: set[str] = set()
        self.decided_until_ms = decided_until_ms
        for device_id, last_seen_ms in self._last_seen.items():
            if device_id in self._alerts:
                self._await_forgetting(device_id, last_seen_ms)
            else:
                self._await_silence(device_id, last_seen_ms)
        if self._alerts and policy.report_every_evaluation:
            self._await_instant(first_multiple_after(decided_until_ms, policy.evaluation_period_ms))

    @property
    def known(self) -> int:
        """How many devices are known."""
        return len(self._last_seen)

    @property
    def silent(self) -> int:
        """How many of them are silent."""
        return len(self._alerts)

    @property
    def next_instant_ms(self) -> int | None:
        """The next evaluation instant at which anything can change; None where no device is known."""
        return self._instants[0] if self._instants else None

    def devices(self) -> Devices:
        """All devices, as `InactivityWatch` takes them."""
        return Devices(list(self._last_seen), list(self._last_seen.values()), self._alerts)

    def take_changed(self) -> Devices:
        """The devices that changed since the last call."""
        ids, last_seen, alerts = list(self._changed), self._last_seen, self._alerts
        self._changed.clear()
        open_alerts = {device_id: alerts[device_id] for device_id in ids if device_id in alerts} if alerts else {}
        return Devices(ids, [last_seen.get(device_id, 0) for device_id in ids], open_alerts)

    def advance(self, signs: Sequence[LifeSign], until_ms: int) -> list[Verdict]:
        """Decide up to `until_ms`: every instant before the signs of life that come after it.

        Args:
            signs: in order of time; those later than `until_ms` move no instant beyond it.
            until_ms: the clock; never goes back.
        """
        revisions: list[Verdict] = []
        last_seen, alerts, changed = self._last_seen, self._alerts, self._changed
        decided = self.decided_until_ms
        due = self.next_instant_ms or until_ms + 1
        for life_time_ms, device_id in signs:
            if due <= life_time_ms and due <= until_ms:
                revisions += self._evaluate_until(min(life_time_ms, until_ms))
                due = self.next_instant_ms or until_ms + 1
            seen = last_seen.get(device_id)
            if seen is None:
                last_seen[device_id] = life_time_ms
                due = min(due, self._await_silence(device_id, life_time_ms))
            else:
                if life_time_ms > seen:
                    last_seen[device_id] = life_time_ms
                if device_id in alerts:
                    revisions += self._end(device_id, life_time_ms, max(decided, min(life_time_ms, until_ms)))
                    due = self.next_instant_ms or until_ms + 1
            changed.add(device_id)
        revisions += self._evaluate_until(until_ms)
        self.decided_until_ms = max(decided, until_ms)
        return revisions

    def _evaluate_until(self, until_ms: int) -> list[Verdict]:
        revisions: list[Verdict] = []
        while self._instants and self._instants[0] <= until_ms:
            instant_ms = heapq.heappop(self._instants)
            self._awaited.remove(instant_ms)
            self.decided_until_ms = max(self.decided_until_ms, instant_ms)
            revisions += self._open_silent(instant_ms)
            revisions += self._forget_silent(instant_ms)
            if self._policy.report_every_evaluation and self._alerts:
                revisions += [SilentDevice(d, self._last_seen[d]) for d in sorted(self._alerts)]
                self._await_instant(instant_ms + self._policy.evaluation_period_ms)
        return revisions

    def _open_silent(self, instant_ms: int) -> list[Verdict]:
        revisions: list[Verdict] = []
        for device_id in sorted(self._due.pop(instant_ms, ())):
            last_seen_ms = self._last_seen[device_id]
            if self._policy.silent_at(last_seen_ms) > instant_ms:
                self._await_silence(device_id, last_seen_ms)
                continue
            alert = self._alerts[device_id] = OpenAlert(instant_ms, last_seen_ms)
            self._changed.add(device_id)
            self._await_forgetting(device_id, last_seen_ms)
            revisions.append(_opened(device_id, alert, self._policy))
        return revisions

    def _forget_silent(self, instant_ms: int) -> list[Verdict]:
        revisions: list[Verdict] = []
        for device_id in sorted(self._expiring.pop(instant_ms, ())):
            self._to_forget.remove(device_id)
            alert = self._alerts.get(device_id)
            if alert is None:
                continue  # it came back since
            last_seen_ms = self._last_seen[device_id]
            if self._policy.forgotten_at(last_seen_ms) > instant_ms:
                self._await_forgetting(device_id, last_seen_ms)
                continue
            del self._alerts[device_id], self._last_seen[device_id]
            self._changed.add(device_id)
            revisions.append(_ended(device_id, alert, State.EXPIRED, instant_ms, last_seen_ms, self._policy))
        return revisions

    def _end(self, device_id: str, life_time_ms: int, clock_ms: int) -> list[Verdict]:
        """End the open alert, unless the record is older than the timeout: then the device only lags."""
        if clock_ms - life_time_ms > self._policy.timeout_ms:
            return []
        alert = self._alerts.pop(device_id)
        self._await_silence(device_id, self._last_seen[device_id])
        if life_time_ms >= alert.opened_at_ms:
            return [_ended(device_id, alert, State.RECOVERED, life_time_ms, life_time_ms, self._policy)]
        return [_ended(device_id, alert, State.CANCELLED, alert.opened_at_ms, life_time_ms, self._policy)]

    def _await_silence(self, device_id: str, last_seen_ms: int) -> int:
        return self._await(self._due, device_id, self._policy.silent_at(last_seen_ms))

    def _await_forgetting(self, device_id: str, last_seen_ms: int) -> None:
        # One entry a device, however often it falls silent: it is looked at when that is due, and may wait again.
        if device_id not in self._to_forget:
            self._to_forget.add(device_id)
            self._await(self._expiring, device_id, self._policy.forgotten_at(last_seen_ms))

    def _await(self, buckets: dict[int, list[str]], device_id: str, instant_ms: int) -> int:
        # An instant that is decided is never decided again: the next one is the first that can still be.
        undecided = first_multiple_after(self.decided_until_ms, self._policy.evaluation_period_ms)
        instant_ms = max(instant_ms, undecided)
        buckets.setdefault(instant_ms, []).append(device_id)
        self._await_instant(instant_ms)
        return instant_ms

    def _await_instant(self, instant_ms: int) -> None:
        if instant_ms not in self._awaited:
            self._awaited.add(instant_ms)
            heapq.heappush(self._instants, instant_ms)


def _opened(device_id: str, alert: OpenAlert, policy: InactivityPolicy) -> Revision:
    silent_ms = alert.opened_at_ms - alert.latest_event_time_ms
    return _revision(
        device_id,
        alert,
        State.OPEN,
        alert.opened_at_ms,
        policy,
        f"{device_id} has been silent for {silent_ms / 1000:.0f} s: its last sign of life was at "
        f"{iso(alert.latest_event_time_ms)}.",
        {},
        {"device-id": device_id, "latest-event-time": alert.latest_event_time_ms},
    )


_SENTENCES = {
    State.RECOVERED: "{device} is back: it spoke again at {at} after {silent:.0f} s of silence.",
    State.CANCELLED: "{device} had not been silent: a record from {at} arrived late.",
    State.EXPIRED: "{device} has been silent since {at} and is no longer watched.",
}


def _ended(
    device_id: str, alert: OpenAlert, state: State, changed_at_ms: int, life_time_ms: int, policy: InactivityPolicy
) -> Revision:
    silent_s = (life_time_ms - alert.latest_event_time_ms) / 1000
    summary = _SENTENCES[state].format(device=device_id, at=iso(life_time_ms), silent=silent_s)
    return _revision(device_id, alert, state, changed_at_ms, policy, summary, {"life_time_ms": life_time_ms}, {})


def _revision(
    device_id: str,
    alert: OpenAlert,
    state: State,
    changed_at_ms: int,
    policy: InactivityPolicy,
    summary: str,
    evidence: dict[str, object],
    extra: dict[str, object],
) -> Revision:
    silent_ms = alert.opened_at_ms - alert.latest_event_time_ms
    return Revision(
        rule_id=RULE_ID,
        kind="inactivity",
        severity="critical",
        device_id=device_id,
        revision=1 if state is State.OPEN else 2,
        state=state,
        opened_at_ms=alert.opened_at_ms,
        changed_at_ms=changed_at_ms,
        value=silent_ms / 1000,
        unit="s",
        limit=policy.timeout_ms / 1000,
        summary=summary,
        evidence={"latest_event_time_ms": alert.latest_event_time_ms, "silent_ms": silent_ms, **evidence},
        extra=extra,
    )
