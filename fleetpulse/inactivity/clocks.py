"""Wrong clocks: which device says a time that is far from when it is heard.

At each evaluation instant the smallest offset of a device since the last one counts. An alert needs two instants with
an offset beyond the bound, at the second of which it has not shrunk: a gateway that catches up with stored records is
not accused. Only devices with such an offset are kept, so right clocks cost nothing.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from fleetpulse.alerts import AlertState, Revision
from fleetpulse.inactivity.timeouts import CLOCK, Heartbeat, InactivityPolicy
from fleetpulse.numbers import seconds
from fleetpulse.rules.checks import CLOCK_RULE_ID
from fleetpulse.times import first_multiple_after

_SHRINKS_BY_MS = 5_000  # an offset that shrinks by more from one instant to the next is that of stored records
Offset = tuple[int, str, int]  # when a device was heard (epoch ms), its id, and its event time less that


class ClockState(msgspec.Struct, array_like=True):
    """What is known of a clock that may be wrong.

    `offset_ms` is the smallest since the last instant and `before_ms` that of the last instant at which there was one.
    With an open alert `right` says that there was an offset within the bound since the last instant.
    """

    offset_ms: int | None = None
    before_ms: int | None = None
    opened_at_ms: int | None = None
    opened_offset_ms: int = 0
    right: bool = False


class ClockWatch:
    """The devices of one shard whose clocks may be wrong.

    Args:
        policy: when a clock is wrong, and when that is evaluated.
        states: as they were kept.
        last_seen_ms: when a device was last seen, by all records that were decided before; 0 where it is not known.
        decided_until_ms: the shard's clock.
    """

    def __init__(
        self,
        policy: InactivityPolicy,
        states: Mapping[str, ClockState],
        last_seen_ms: Callable[[str], int],
        decided_until_ms: int = 0,
    ) -> None:
        self._policy, self._last_seen_ms = policy, last_seen_ms
        self.states = dict(states)
        self._noted = {device for device, state in states.items() if state.offset_ms is not None or state.right}
        self._decided_until_ms = decided_until_ms
        self.changed = False

    @property
    def next_instant_ms(self) -> int | None:
        """The next instant at which anything can change; None where nothing can."""
        if not self._noted:
            return None
        return first_multiple_after(self._decided_until_ms, self._policy.evaluation_period_ms)

    def advance(self, heartbeats: Sequence[Heartbeat], offsets: Sequence[Offset], until_ms: int) -> list[Revision]:
        """Decide every instant up to `until_ms`.

        Args:
            heartbeats: of records in order, whose offsets are within the bound.
            offsets: of other records.
            until_ms: the clock; never goes back.
        """
        revisions: list[Revision] = []
        if self.states or offsets:
            devices = self.states.keys() | {device for _, device, _ in offsets}
            right = [(at, device, 0) for at, device in heartbeats if device in devices]
            last_right_ms: dict[str, int] = {}
            for at, device, offset_ms in sorted([*right, *offsets]):
                revisions += self._evaluate_until(min(at, until_ms))
                self.note(at, device, offset_ms, last_right_ms.get(device, 0))
                if self._is_right(offset_ms):
                    last_right_ms[device] = at
        return revisions + self._evaluate_until(until_ms)

    def _is_right(self, offset_ms: int) -> bool:
        return abs(offset_ms) <= self._policy.max_clock_offset_ms

    def note(self, at_ms: int, device: str, offset_ms: int, last_right_ms: int = 0) -> None:
        """Take the offset of a record. It counts for the first instant after `at_ms`."""
        state = self.states.get(device)
        if self._is_right(offset_ms):
            if state is None or state.right:
                return
            self.changed = True
            if state.opened_at_ms is None:
                del self.states[device]
                self._noted.discard(device)
                return
            state.right = True
        else:
            if state is None:
                # Nothing is kept of a clock that is right, but when its device was seen.
                last_right_ms = max(last_right_ms, self._last_seen_ms(device))
                if last_right_ms >= at_ms - at_ms % self._policy.evaluation_period_ms:
                    return
                state = self.states[device] = ClockState()
            if state.right or (state.offset_ms is not None and abs(state.offset_ms) <= abs(offset_ms)):
                return
            self.changed = True
            state.offset_ms = offset_ms
        self._noted.add(device)

    def _evaluate_until(self, until_ms: int) -> list[Revision]:
        revisions: list[Revision] = []
        while (instant_ms := self.next_instant_ms) is not None and instant_ms <= until_ms:
            self._decided_until_ms = instant_ms
            self.changed = True
            noted, self._noted = sorted(self._noted), set()
            for device in noted:
                revisions += self._evaluate(device, self.states[device], instant_ms)
        self._decided_until_ms = max(self._decided_until_ms, until_ms)
        return revisions

    def _evaluate(self, device: str, state: ClockState, instant_ms: int) -> list[Revision]:
        if state.right:
            del self.states[device]
            return [_revision(device, state, AlertState.RECOVERED, instant_ms, self._policy)]
        offset_ms, before_ms = state.offset_ms or 0, state.before_ms
        state.offset_ms, state.before_ms = None, offset_ms
        if state.opened_at_ms is not None or before_ms is None or (offset_ms < 0) != (before_ms < 0):
            return []
        if abs(offset_ms) < abs(before_ms) - _SHRINKS_BY_MS:
            return []
        state.opened_at_ms, state.opened_offset_ms = instant_ms, offset_ms
        return [_revision(device, state, AlertState.OPEN, instant_ms, self._policy)]

    def forget(self, device: str, at_ms: int) -> list[Revision]:
        """Know nothing of a device any more; its alert ends."""
        state = self.states.pop(device, None)
        if state is None:
            return []
        self._noted.discard(device)
        self.changed = True
        return [] if state.opened_at_ms is None else [_revision(device, state, AlertState.EXPIRED, at_ms, self._policy)]


_SENTENCES = {
    AlertState.OPEN: "The clock of {device} is {offset} {direction}.",
    AlertState.RECOVERED: "The clock of {device} is right again: it was {offset} {direction}.",
    AlertState.EXPIRED: "The clock of {device} was {offset} {direction}; the device is no longer watched.",
}


def _revision(
    device: str, state: ClockState, alert_state: AlertState, changed_at_ms: int, policy: InactivityPolicy
) -> Revision:
    assert state.opened_at_ms is not None
    offset_ms = state.opened_offset_ms
    direction, limit_s = "behind" if offset_ms < 0 else "ahead", policy.max_clock_offset_ms / 1000
    offset = seconds(abs(offset_ms) / 1000, beside=[limit_s])
    return Revision(
        rule_id=CLOCK_RULE_ID,
        kind=CLOCK,
        severity="warning",
        device_id=device,
        revision=1 if alert_state is AlertState.OPEN else 2,
        state=alert_state,
        opened_at_ms=state.opened_at_ms,
        changed_at_ms=changed_at_ms,
        value=offset_ms / 1000,
        unit="s",
        limit=limit_s,
        summary=_SENTENCES[alert_state].format(device=device, offset=offset, direction=direction),
        evidence={"offset_ms": offset_ms},
        extra={},
    )
