"""Anomalies: what is wrong with readings, decided in the order of their event times by the rules in force then.

The same readings give the same alerts, however they arrived within the bound and however they were batched. A device
that is heard without a reading on time, such as one with a wrong clock, is not forgotten.
"""

import heapq
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping

import msgspec

from fleetpulse.alerts import Revision
from fleetpulse.anomaly.evaluation import EvaluatorState, RuleSetEvaluator
from fleetpulse.anomaly.memory import Fleet
from fleetpulse.frames.rows import Due, Rows, part
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.versions import Version, Versions, in_force, merged, next_change_ms
from fleetpulse.times import first_multiple_after

_EXPIRY_STEP_MS = 60_000
_NO_RULES = Version(0, 0, RuleSet(()))


class Snapshot(msgspec.Struct, array_like=True, frozen=True, tag=6):
    """All that is known of a shard's devices at an instant (epoch ms), but for the rules."""

    at_ms: int
    names: list[str]
    last_seen_ms: bytes
    sites: dict[int, str]
    version: int
    kept: EvaluatorState


class AnomalyWatch:
    """The devices of one shard, evaluated by the rules.

    Args:
        versions: of the rules, as far as they are known.
        forget_after_ms: how long a device must not be heard until nothing is known of it any more.
        snapshot: where to go on from.
        heard_ms: when devices were last heard without a reading on time, see `hear`.

    Attributes:
        metrics: those that a rule needs and of which there was a value since this object was made.
        forgot: whether a device was forgotten since the last snapshot. That depends on who was heard, which is not
            decided again after a restore.
    """

    def __init__(
        self,
        versions: Versions,
        forget_after_ms: int,
        snapshot: Snapshot | None = None,
        heard_ms: Mapping[str, int] | None = None,
    ) -> None:
        self._versions = versions
        self._forget_after_ms = forget_after_ms
        self.decided_until_ms = snapshot.at_ms if snapshot else 0
        self._fleet = Fleet(list(snapshot.names), dict(snapshot.sites)) if snapshot else Fleet([], {})
        self._numbers = {name: number for number, name in enumerate(self._fleet.names)}
        self._last_seen_ms = array("q", snapshot.last_seen_ms if snapshot else b"")
        version = self._version_at(self.decided_until_ms)
        if snapshot is not None:  # by the rules that it was made by; others take effect as they did then
            version = next((v for v in versions if v.version == snapshot.version), version)
        self._evaluator = RuleSetEvaluator(version, self._fleet, snapshot.kept if snapshot else None)
        self.heard_ms = dict(heard_ms or {})
        self.metrics: set[str] = set()
        self.forgot = False
        self._expiries: list[tuple[int, int]] = []
        self._expiring: set[int] = set()
        for alerts in self._evaluator.tracker.memory.alerts.values():
            self._await_expiry(alerts)

    def _version_at(self, at_ms: int) -> Version:
        return in_force(self._versions, at_ms) or _NO_RULES

    @property
    def open_alerts(self) -> int:
        """How many alerts are open."""
        return sum(map(len, self._evaluator.tracker.memory.alerts.values()))

    @property
    def known(self) -> int:
        """How many devices are known."""
        return len(self._fleet.names)

    @property
    def version(self) -> int:
        """The version in force; 0 if there is none."""
        return self._evaluator.version.version

    @property
    def rules(self) -> RuleSet:
        """The rules in force."""
        return self._evaluator.version.rules

    def learn(self, versions: Versions) -> None:
        """Take versions of the rules. One that should be in force already takes effect now."""
        self._versions = merged(self._versions, versions)

    def hear(self, times_ms: Mapping[str, int]) -> bool:
        """Take when devices were heard (epoch ms), of those that are known. Returns whether `heard_ms` has changed.

        To the next minute: it is written down whenever it changes, and is needed for forgetting only.
        """
        changed = False
        for name, time_ms in times_ms.items():
            until_ms = first_multiple_after(time_ms, _EXPIRY_STEP_MS)
            if name in self._numbers and until_ms > self.heard_ms.get(name, 0):
                self.heard_ms[name] = until_ms
                changed = True
        return changed

    def _last_heard_ms(self, device: int) -> int:
        seen_ms = self._last_seen_ms[device]
        return max(seen_ms, self.heard_ms.get(self._fleet.names[device], 0)) if self.heard_ms else seen_ms

    @property
    def next_instant_ms(self) -> int | None:
        """When something is due without a reading: other rules, or an alert that nobody ends."""
        change_ms = next_change_ms(self._versions, self.decided_until_ms)
        instants = [at for at in (change_ms, self._expiries[0][0] if self._expiries else None) if at is not None]
        return min(instants, default=None)

    def advance(self, rows: Rows | None, until_ms: int) -> list[Revision]:
        """Evaluate readings, all later than what is decided and not later than `until_ms`, and decide up to there."""
        revisions = self._catch_up()
        while (instant_ms := self.next_instant_ms) is not None and instant_ms <= until_ms:
            if rows is not None:
                cut = bisect_left(rows.times_ms, instant_ms)
                revisions += self._decide(part(rows, 0, cut))
                rows = part(rows, cut, len(rows.times_ms))
            self.decided_until_ms = instant_ms
            revisions += self._catch_up()
            revisions += self._expire(instant_ms)
        if rows is not None:
            revisions += self._decide(rows)
        self.decided_until_ms = max(self.decided_until_ms, until_ms)
        return revisions

    def _catch_up(self) -> list[Revision]:
        wanted = self._version_at(self.decided_until_ms)
        if wanted.version == self._evaluator.version.version:
            return []
        self._evaluator, revisions = self._evaluator.succeed(
            wanted, max(self.decided_until_ms, wanted.effective_from_ms)
        )
        return revisions

    def _decide(self, rows: Rows) -> list[Revision]:
        """Evaluate readings, with a stop wherever something else than readings changes what is known."""
        revisions: list[Revision] = []
        start, times_ms, forget_after_ms = 0, rows.times_ms, self._forget_after_ms
        numbers, last_seen_ms, evaluated = self._numbers_of(rows), self._last_seen_ms, set[int]()
        if self._is_plain(rows, numbers):
            for device, time_ms in zip(numbers, times_ms, strict=True):
                last_seen_ms[device] = time_ms
            return self._evaluate_part(rows, numbers, 0, len(numbers))
        for row, (device, time_ms) in enumerate(zip(numbers, times_ms, strict=True)):
            away = time_ms - last_seen_ms[device] > forget_after_ms and time_ms > self._expiry_ms(device)
            site = rows.locations[row].site if rows.locations else None
            moved = site is not None and self._fleet.sites.get(device) != site
            # No alert that is opened from `start` on expires before this.
            long = time_ms > times_ms[start] + forget_after_ms or (self._expiries and self._expiries[0][0] <= time_ms)
            if long or away or (moved and device in evaluated):
                revisions += self._evaluate_part(rows, numbers, start, row)
                revisions += self._expire(time_ms)
                start = row
                evaluated.clear()
            if away:
                self._forget(device)
            if moved and site is not None:
                self._fleet.sites[device] = site
                revisions += self._evaluator.moved(device, time_ms)
            evaluated.add(device)
            last_seen_ms[device] = time_ms
        return revisions + self._evaluate_part(rows, numbers, start, len(numbers))

    def _is_plain(self, rows: Rows, numbers: list[int]) -> bool:
        """Whether nobody has moved, was away for long, or has an alert that expires meanwhile."""
        if not rows.times_ms or rows.locations:
            return False
        last_ms, seen_ms = rows.times_ms[-1], self._last_seen_ms
        expires = bool(self._expiries) and self._expiries[0][0] <= last_ms
        return not expires and last_ms - min(map(seen_ms.__getitem__, set(numbers))) <= self._forget_after_ms

    def _evaluate_part(self, rows: Rows, numbers: list[int], start: int, stop: int) -> list[Revision]:
        if start == stop:
            return []
        due = Due(part(rows, start, stop), numbers[start:stop])
        revisions = self._evaluator.decide(due)
        self.metrics.update(due.metrics)
        if revisions:
            self._await_expiry(self._numbers[revision.device_id] for revision in revisions)
        return revisions

    def _forget(self, device: int) -> None:
        self.forgot = True
        self._evaluator.forget(device)
        if self._fleet.sites.pop(device, None) is not None:
            self._evaluator.moved(device, 0)

    def _numbers_of(self, rows: Rows) -> list[int]:
        try:
            return list(map(self._numbers.__getitem__, rows.devices))
        except KeyError:
            return self._register(rows)

    def _register(self, rows: Rows) -> list[int]:
        for name, time_ms in zip(rows.devices, rows.times_ms, strict=True):
            if name not in self._numbers:
                self._numbers[name] = len(self._fleet.names)
                self._fleet.names.append(name)
                self._last_seen_ms.append(time_ms)
        self._evaluator.grow()
        return [self._numbers[name] for name in rows.devices]

    def _await_expiry(self, devices: Iterable[int]) -> None:
        for device in devices:
            if device not in self._expiring:
                self._expiring.add(device)
                heapq.heappush(self._expiries, (self._expiry_ms(device), device))

    def _expiry_ms(self, device: int) -> int:
        return first_multiple_after(self._last_heard_ms(device) + self._forget_after_ms, _EXPIRY_STEP_MS)

    def _expire(self, instant_ms: int) -> list[Revision]:
        revisions: list[Revision] = []
        due: list[int] = []
        while self._expiries and self._expiries[0][0] <= instant_ms:
            due.append(heapq.heappop(self._expiries)[1])
        for device in sorted(due, key=self._fleet.names.__getitem__):
            self._expiring.remove(device)
            if not any(device in alerts for alerts in self._evaluator.tracker.memory.alerts.values()):
                continue
            if self._expiry_ms(device) > instant_ms:
                self._await_expiry([device])
            else:
                revisions += self._evaluator.tracker.expire(device, self._expiry_ms(device))
                self._forget(device)
        return revisions

    def snapshot(self) -> Snapshot:
        """All that is known now, without the devices that are forgotten."""
        oldest_ms = self.decided_until_ms - self._forget_after_ms - _EXPIRY_STEP_MS
        kept = [number for number in range(len(self._last_seen_ms)) if self._last_heard_ms(number) >= oldest_ms]
        self.forgot = False
        if len(kept) < len(self._last_seen_ms):
            self._renumber(kept)
        return Snapshot(
            self.decided_until_ms,
            self._fleet.names,
            self._last_seen_ms.tobytes(),
            self._fleet.sites,
            self.version,
            self._evaluator.keep(),
        )

    def _renumber(self, order: list[int]) -> None:
        self._evaluator.renumber(order)
        self._last_seen_ms = array("q", [self._last_seen_ms[device] for device in order])
        sites = {index: self._fleet.sites[device] for index, device in enumerate(order) if device in self._fleet.sites}
        names = [self._fleet.names[device] for device in order]
        self._fleet.names[:] = names
        self._fleet.sites.clear()
        self._fleet.sites.update(sites)
        self._numbers = {name: number for number, name in enumerate(names)}
        self.heard_ms = {name: time_ms for name, time_ms in self.heard_ms.items() if name in self._numbers}
        self._expiries, self._expiring = [], set()
        for alerts in self._evaluator.tracker.memory.alerts.values():
            self._await_expiry(alerts)
