"""From changes of level to alerts: conditions over several rules, one alert a device and rule, and flapping."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter

from fleetpulse.alerts import AlertState, Revision
from fleetpulse.anomaly.flapping import FlappingTracker
from fleetpulse.anomaly.memory import Fleet, Memory, OpenAlert, Suppressed
from fleetpulse.frames.rows import Due, RowQueue
from fleetpulse.rules.evaluator import ALARM
from fleetpulse.rules.kinds.condition import Condition, Truth
from fleetpulse.rules.kinds.flapping import Flapping
from fleetpulse.rules.levels import NONE, LevelChange, Tracker
from fleetpulse.rules.rule import ReadingRule
from fleetpulse.rules.sentences import sentence
from fleetpulse.rules.versions import Version


class AlertTracker:
    """The alerts of one set of rules.

    Args:
        version: the set.
        keys: by the numbers in changes: ids of rules, by their index in the set, then keys of leaves.
        applies: whether a rule is for a device.
        fleet: names and sites of devices.
        memory: from batches and versions before.
    """

    def __init__(
        self,
        version: Version,
        keys: Sequence[str],
        applies: Callable[[str, int], bool],
        fleet: Fleet,
        memory: Memory,
    ) -> None:
        self._version, self._keys, self._fleet = version.version, keys, fleet
        self._applies = applies
        self.rules = {rule.id: rule for rule in version.rules.rules if isinstance(rule, ReadingRule)}
        self._conditions = [rule for rule in self.rules.values() if isinstance(rule, Condition)]
        self._asked = {rule.id: frozenset(rule.keys()) for rule in self._conditions}
        self._holds = {rule.id: Tracker(keys.index(rule.id), ALARM, rule.hold) for rule in self._conditions}
        self.memory = memory
        flaps = (rule for rule in self.rules.values() if isinstance(rule, Flapping))
        self._flaps = FlappingTracker(flaps, keys, applies, memory)
        for rule_id, tracker in self._holds.items():
            tracker.restore(memory.holding.setdefault(rule_id, {}))
        asked_for = frozenset().union(*self._asked.values())
        memory.known = {key: memory.known.get(key, set()) for key in asked_for}
        memory.levels = {key: levels for key, levels in memory.levels.items() if key in keys}
        self._last_ends: dict[tuple[str, int], OpenAlert] = {}  # within this batch

    def decide(self, due: Due, changes: list[LevelChange]) -> list[Revision]:
        """The revisions that changes of level in a batch make, in the order of its rows."""
        waiting = self._waiting(due)
        self._last_ends.clear()
        if not changes and not waiting:
            return []
        by_row: dict[int, list[LevelChange]] = defaultdict(list)
        for change in changes:
            by_row[change.row].append(change)
        queue = RowQueue(due, by_row, waiting)
        revisions: list[Revision] = []
        for row in queue:
            device, time_ms = due.numbers[row], due.rows.times_ms[row]
            calmed = list(self._flaps.calmed(row, device, time_ms))
            revisions += [self._end(flap, end, self._alerts(flap)[device]) for flap, end, _ in calmed]
            for change, before in self._levels_of(row, device, time_ms, by_row.get(row, [])):
                revisions += self._change(change, before)
            revisions += [again for *_, change in calmed if change for again in self._send_suppressed_now(change)]
            if self._is_waiting(device):
                queue.watch(device, row)
        return revisions

    def _waiting(self, due: Due) -> set[int]:
        """Devices for which a reading may matter without a change of level."""
        candidates: list[Iterable[int]] = [*self._flaps.devices]
        candidates += [tracker.runs for tracker in self._holds.values()]
        candidates += [devices.intersection(due.numbers) for devices in self.memory.to_reevaluate.values() if devices]
        return {device for devices in candidates for device in devices if self._is_waiting(device)}

    def _is_waiting(self, device: int) -> bool:
        return self._flaps.is_open(device) or any(self._must_evaluate(rule.id, device) for rule in self._conditions)

    def _must_evaluate(self, rule_id: str, device: int) -> bool:
        """Whether a condition must be evaluated at the next reading of a device, whatever changes."""
        to_reevaluate = device in self.memory.to_reevaluate.get(rule_id, ())
        return to_reevaluate or _is_pending(self._holds[rule_id], device)

    def reevaluate(self, rule_id: str, devices: Iterable[int]) -> None:
        """Evaluate a condition again for devices, since it or its scope has changed."""
        self.memory.to_reevaluate.setdefault(rule_id, set()).update(devices)

    def _levels_of(
        self, row: int, device: int, time_ms: int, changes: list[LevelChange]
    ) -> list[tuple[LevelChange, int]]:
        """The changes of level at a row, each with the level before, in the order of the set; conditions come last."""
        changed: set[str] = set()
        level_changes: list[tuple[LevelChange, int]] = []
        for change in sorted(changes, key=attrgetter("rule")):
            key = self._keys[change.rule]
            changed.add(key)
            if key in self.memory.known:
                self.memory.known[key].add(device)
            if change.value is None:
                continue  # it notes only that something is known now
            before = self._replace_level(key, device, change.level)
            if key in self.rules and change.level != before:
                level_changes.append((change, before))
        for rule in self._conditions:
            tracker = self._holds[rule.id]
            if not self._applies(rule.id, device):
                continue
            if changed & self._asked[rule.id] or self._must_evaluate(rule.id, device):
                self.memory.to_reevaluate.get(rule.id, set()).discard(device)
                holds = rule.truth(lambda key: self._truth(key, device)) is True
                if holds or device in tracker.runs:
                    own: list[LevelChange] = []
                    tracker.step(row, device, time_ms, float(holds), own)
                    level_changes += [(change, self._replace_level(rule.id, device, change.level)) for change in own]
        return level_changes

    def _truth(self, key: str, device: int) -> Truth:
        if self.memory.levels.get(key, {}).get(device):
            return True
        return False if device in self.memory.known[key] else None

    def _replace_level(self, key: str, device: int, level: int) -> int:
        levels = self.memory.levels.setdefault(key, {})
        before = levels.pop(device, NONE)
        if level:
            levels[device] = level
        return before

    def _change(self, change: LevelChange, before: int) -> list[Revision]:
        rule = self.rules[self._keys[change.rule]]
        alert = self._alerts(rule).get(change.device)
        if alert is None:
            return self._open_unless_flapping(rule, change, before)
        if not change.level:
            return [self._end(rule, change, alert)]
        severity = rule.severity_at(change.level)
        if severity == alert.severity:
            return []
        alert.revision, alert.severity = alert.revision + 1, severity
        return [self._revision(rule, change, alert, AlertState.UPDATED)]

    def _open_unless_flapping(self, rule: ReadingRule, change: LevelChange, before: int) -> list[Revision]:
        if self._flaps.suppress(rule.id, change, before) or not change.level:
            return []
        revisions = [self._open(rule, change)]
        for flap, counted in self._flaps.count_opening(rule.id, change):
            revisions.append(self._open(flap, counted))
            alert = self._alerts(flap)[change.device]
            alert.count, alert.last_ms = int(counted.value or 0), change.time_ms
        return revisions

    def _send_suppressed_now(self, change: LevelChange) -> list[Revision]:
        """Open suppressed alerts that still hold and were not opened otherwise."""
        rule = self.rules[self._keys[change.rule]]
        level = self.memory.levels.get(rule.id, {}).get(change.device, NONE)
        if not level or self._flaps.is_open_for(rule.id, change.device) or change.device in self._alerts(rule):
            return []
        return [self._open(rule, change._replace(level=level))]

    def cancel_all(self, rule_id: str, at_ms: int) -> list[Revision]:
        """End all alerts of a removed rule, and forget its state."""
        alerts = self.memory.alerts.pop(rule_id, {})
        rule = self.rules[rule_id]
        for kept in (self.memory.levels, self.memory.openings, self.memory.holding, self.memory.to_reevaluate):
            kept.pop(rule_id, None)
        return [
            self._ended(rule, device, alert, AlertState.CANCELLED, at_ms, "its rule is no longer there")
            for device, alert in sorted(alerts.items(), key=lambda item: self._fleet.names[item[0]])
        ]

    def release(self, rule_id: str, at_ms: int) -> list[Revision]:
        """End the alerts of devices that a rule no longer applies to, and forget its state of them."""
        revisions = []
        memory = self.memory
        for of_rule in (memory.levels, memory.openings, memory.holding, memory.alerts):
            for device in [device for device in of_rule.get(rule_id, ()) if not self._applies(rule_id, device)]:
                kept = of_rule[rule_id].pop(device)
                if isinstance(kept, OpenAlert):
                    rule, why = self.rules[rule_id], "its rule is no longer for this device"
                    revisions.append(self._ended(rule, device, kept, AlertState.CANCELLED, at_ms, why))
        return sorted(revisions, key=attrgetter("device_id"))

    def suppressed_by(self, flap_id: str) -> dict[int, Suppressed]:
        """The alerts that a flapping rule suppresses at present, by device."""
        return self._flaps.suppressed_by(flap_id)

    def send_suppressed(self, rule_id: str, suppressed: Mapping[int, Suppressed], at_ms: int) -> list[Revision]:
        """Open the alerts that a removed flapping rule suppressed."""
        changes = self._flaps.released(rule_id, suppressed, at_ms)
        return [revision for change in changes for revision in self._send_suppressed_now(change)]

    def expire(self, device: int, at_ms: int) -> list[Revision]:
        """End all alerts of a device that has not been heard for long, and forget it."""
        revisions = []
        for rule_id, rule in self.rules.items():
            alert = self.memory.alerts.get(rule_id, {}).pop(device, None)
            if alert is not None:
                revisions.append(
                    self._ended(rule, device, alert, AlertState.EXPIRED, at_ms, "it has not been heard for long")
                )
        self.memory.forget(device)
        return revisions

    def _alerts(self, rule: ReadingRule) -> dict[int, OpenAlert]:
        return self.memory.alerts_of(rule.id)

    def _open(self, rule: ReadingRule, change: LevelChange) -> Revision:
        # At the very instant at which the last one began and ended it is the same alert again, by its id.
        last = self._last_ends.get((rule.id, change.device))
        before = last.revision if last is not None and last.opened_at_ms == change.time_ms else 0
        alert = OpenAlert(change.time_ms, before + 1, rule.severity_at(change.level))
        self._alerts(rule)[change.device] = alert
        return self._revision(rule, change, alert, AlertState.OPEN)

    def _end(self, rule: ReadingRule, change: LevelChange, alert: OpenAlert) -> Revision:
        del self._alerts(rule)[change.device]
        alert.revision += 1
        self._last_ends[rule.id, change.device] = alert
        return self._revision(rule, change, alert, AlertState.RECOVERED)

    def _ended(
        self, rule: ReadingRule, device: int, alert: OpenAlert, state: AlertState, at_ms: int, why: str
    ) -> Revision:
        alert.revision += 1
        change = LevelChange(0, 0, device, at_ms, NONE, None, None, alert.opened_at_ms)
        return self._made(rule, change, alert, state, f"{self._fleet.names[device]}: the alert {rule.id} ends, {why}.")

    def _revision(self, rule: ReadingRule, change: LevelChange, alert: OpenAlert, state: AlertState) -> Revision:
        summary = sentence(rule, self._fleet.names[change.device], state, change, alert.opened_at_ms)
        return self._made(rule, change, alert, state, summary)

    def _made(
        self, rule: ReadingRule, change: LevelChange, alert: OpenAlert, state: AlertState, summary: str
    ) -> Revision:
        evidence: dict[str, object] = {"since_ms": change.since_ms, "for_ms": change.time_ms - change.since_ms}
        if change.recent:
            evidence["recent"] = change.recent
        if change.began is not None:
            evidence["began"] = change.began
        return Revision(
            rule_id=rule.id,
            kind=rule.kind,
            severity=alert.severity,
            device_id=self._fleet.names[change.device],
            revision=alert.revision,
            state=state,
            opened_at_ms=alert.opened_at_ms,
            changed_at_ms=change.time_ms,
            value=change.value,
            unit=rule.unit,
            limit=change.limit,
            summary=summary,
            evidence=evidence,
            extra={"rule_version": self._version},
            site=self._fleet.sites.get(change.device),
            metric=rule.metric,
        )


def _is_pending(tracker: Tracker, device: int) -> bool:
    """Return whether a level has begun, but not lasted long enough."""
    run = tracker.runs.get(device)
    return run is not None and not run.level
