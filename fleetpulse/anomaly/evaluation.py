"""One version of the rules at work: the evaluators of its rules, their scopes, and their alerts."""

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

import msgspec

from fleetpulse.alerts import Revision
from fleetpulse.anomaly.alerting import AlertTracker
from fleetpulse.anomaly.memory import Fleet, Memory
from fleetpulse.frames.rows import Due
from fleetpulse.rules.evaluator import Mask, Saved
from fleetpulse.rules.kinds.condition import Condition
from fleetpulse.rules.kinds.flapping import Flapping
from fleetpulse.rules.levels import LevelChange
from fleetpulse.rules.rule import FollowingRule, ReadingRule, Scope
from fleetpulse.rules.versions import Version

_EVERYTHING = Scope()


class EvaluatorState(msgspec.Struct, array_like=True):
    """The state of evaluators, by rule or leaf, and of the alert tracker, as kept in keyed state."""

    evaluators: dict[str, Saved]
    memory: Memory


class RuleSetEvaluator:
    """Evaluates due readings by one version of the rules."""

    def __init__(self, version: Version, fleet: Fleet, kept: EvaluatorState | None = None) -> None:
        self.version = version
        self._fleet = fleet
        rules = version.rules.rules
        conditions = [rule for rule in rules if isinstance(rule, Condition)]
        inner = {leaf.id: leaf for rule in conditions for leaf in rule.leaves()}
        numbered = [*rules, *inner.values()]
        self._evaluators = {
            rule.id: rule.evaluator(number) for number, rule in enumerate(numbered) if isinstance(rule, FollowingRule)
        }
        self._conditions = {rule.id for rule in conditions}
        self._scopes = {rule.id: rule.scope for rule in rules}
        self._masks: dict[str, Mask] = {
            key: None if scope == _EVERYTHING else bytearray() for key, scope in self._scopes.items()
        }
        self._masks |= dict.fromkeys(inner)
        memory = kept.memory if kept else Memory()
        self.tracker = AlertTracker(version, [rule.id for rule in numbered], self._applies, fleet, memory)
        for key, known in self.tracker.memory.known.items():
            self._evaluators[key].known = set(known)
        if kept:
            self._load(kept)
        self.grow()

    def grow(self) -> None:
        """Make room for new devices."""
        names = self._fleet.names
        for evaluator in self._evaluators.values():
            evaluator.grow(len(names))
        for key, mask in self._masks.items():
            if mask is not None:
                mask.extend(self._is_for(key, device) for device in range(len(mask), len(names)))

    def moved(self, device: int, at_ms: int) -> list[Revision]:
        """Update the rules of a device whose site has changed; alerts of rules that no longer apply end."""
        revisions: list[Revision] = []
        for key, mask in self._masks.items():
            if mask is not None:
                before, mask[device] = mask[device], self._is_for(key, device)
                if before and not mask[device]:
                    revisions += self._release(key, [device], at_ms)
                elif key in self._conditions:
                    self.tracker.reevaluate(key, [device])
        return revisions

    def _release(self, key: str, devices: Iterable[int], at_ms: int) -> list[Revision]:
        """End the alerts and runs of devices that a rule no longer applies to."""
        evaluator = self._evaluators.get(key)
        if evaluator is not None:
            for device in devices:
                evaluator.tracker.runs.pop(device, None)
        return self.tracker.release(key, at_ms) if key in self.tracker.rules else []

    def _is_for(self, key: str, device: int) -> bool:
        scope, name, site = self._scopes[key], self._fleet.names[device], self._fleet.sites.get(device)
        if scope.sites and (site is None or not any(fnmatchcase(site, glob) for glob in scope.sites)):
            return False
        return any(fnmatchcase(name, glob) for glob in scope.devices)

    def _applies(self, key: str, device: int) -> bool:
        mask = self._masks[key]
        return mask is None or bool(mask[device])

    def decide(self, due: Due) -> list[Revision]:
        """Evaluate due readings."""
        changes: list[LevelChange] = []
        for key, evaluator in self._evaluators.items():
            evaluator.feed(due, self._masks[key], changes)
        return self.tracker.decide(due, changes)

    def forget(self, device: int) -> None:
        """Know nothing of a device any more."""
        for evaluator in self._evaluators.values():
            evaluator.reset(device)
        self.tracker.memory.forget(device)

    def keep(self) -> EvaluatorState:
        """The whole state, for the snapshot."""
        evaluators = {key: evaluator.save() for key, evaluator in self._evaluators.items()}
        return EvaluatorState(evaluators, self.tracker.memory)

    def _load(self, kept: EvaluatorState) -> None:
        for key, evaluator in self._evaluators.items():
            if key in kept.evaluators:
                evaluator.load(kept.evaluators[key])

    def succeed(self, version: Version, at_ms: int) -> tuple["RuleSetEvaluator", list[Revision]]:
        """The evaluator of the next version, with the state of the rules that stay.

        Returns:
            It, and the ends of the alerts whose rules do not stay.
        """
        before, after = _signatures(self.version), _signatures(version)
        staying = [rule_id for rule_id, signature in after.items() if before.get(rule_id) == signature]
        gone = [rule for rule in self.tracker.rules.values() if rule.id not in staying]
        suppressed = {rule.rule: self.tracker.suppressed_by(rule.id) for rule in gone if isinstance(rule, Flapping)}
        revisions = [revision for rule in gone for revision in self.tracker.cancel_all(rule.id, at_ms)]
        kept = self.keep()
        kept.evaluators = {key: saved for key, saved in kept.evaluators.items() if self._stays(key, staying)}
        successor = RuleSetEvaluator(version, self._fleet, kept)
        for rule_id in staying:
            revisions += successor._take_over(rule_id, self, at_ms)
        for rule_id, held in suppressed.items():
            if rule_id in staying:
                revisions += successor.tracker.send_suppressed(rule_id, held, at_ms)
        for rule_id in successor._conditions.difference(staying):
            successor.tracker.reevaluate(rule_id, range(len(self._fleet.names)))
        return successor, revisions

    def _take_over(self, rule_id: str, before: "RuleSetEvaluator", at_ms: int) -> list[Revision]:
        """Take over a rule that stays, as far as it is unchanged."""
        evaluator, old = self._evaluators.get(rule_id), before._evaluators.get(rule_id)
        if evaluator is not None and old is not None and not evaluator.tracker.means_the_same_as(old.tracker):
            evaluator.tracker.begin_anew()
        if rule_id in self._conditions and self.tracker.rules[rule_id] != before.tracker.rules[rule_id]:
            self.tracker.reevaluate(rule_id, range(len(self._fleet.names)))
        mask = self._masks[rule_id]
        if mask is None:
            return []
        return self._release(rule_id, [device for device, applies in enumerate(mask) if not applies], at_ms)

    @staticmethod
    def _stays(key: str, staying: Collection[str]) -> bool:
        return key in staying or "/" in key  # a leaf's key names its metric and limit

    def renumber(self, order: list[int]) -> None:
        """Keep the devices in `order` alone, with their indices in it as their numbers."""
        for evaluator in self._evaluators.values():
            evaluator.renumber(order)
        self.tracker.memory.renumber(order)
        self._masks = {
            key: None if mask is None else bytearray(mask[d] for d in order) for key, mask in self._masks.items()
        }


def _signatures(version: Version) -> dict[str, str]:
    """What must stay as it is for a rule on readings to keep its alerts from one version to the next, by id."""
    return {
        rule.id: f"{type(rule).__name__} {rule.rule if isinstance(rule, Flapping) else rule.metric}"
        for rule in version.rules.rules
        if isinstance(rule, ReadingRule)
    }
