"""What is wrong with a set of rules beyond its types. What is wrong within a rule, its kind says."""

from collections.abc import Iterator

from fleetpulse.records.metrics import is_metric_name
from fleetpulse.rules.kinds import Rule
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.parts import RuleError
from fleetpulse.rules.rule import Fault, ReadingRule, SilenceRule

RULE_ID = "inactivity"  # of alerts by the timeout that is no rule


def check(rules: RuleSet) -> RuleSet:
    """Return the set as it is.

    Raises:
        RuleError: it contradicts itself; names the first index.
    """
    for path, message in faults(rules):
        raise RuleError(path, message)
    return rules


def faults(rules: RuleSet) -> Iterator[Fault]:
    """All that is wrong, path and message, one after the other."""
    by_id: dict[str, Rule] = {}
    for index, rule in enumerate(rules.rules):
        path = f"rules[{index}]"
        if not is_metric_name(rule.id):
            yield f"{path}.id", f"{rule.id!r} is not a letter and up to 63 letters, digits, `_`, `.` or `-`"
        if rule.id == RULE_ID:
            yield f"{path}.id", f"{rule.id!r} is the id of the alerts by the job's own timeout"
        if rule.id in by_id:
            yield f"{path}.id", f"{rule.id!r} stands twice"
        by_id[rule.id] = rule
        yield from _common_faults(path, rule)
        yield from rule.faults(path)
    for index, rule in enumerate(rules.rules):
        for path, name in rule.references(f"rules[{index}]"):
            if not isinstance(by_id.get(name), rule.refers_to):
                yield path, f"{name!r} is not the id of a rule that can be referred to"


def _common_faults(path: str, rule: Rule) -> Iterator[Fault]:
    if isinstance(rule, ReadingRule) and rule.metric is not None and not is_metric_name(rule.metric):
        yield f"{path}.metric", f"{rule.metric!r} is no name of a metric"
    if "" in rule.scope.devices or not rule.scope.devices:
        yield f"{path}.scope.devices", "expected globs of device ids, at least one"
    if isinstance(rule, SilenceRule) and rule.scope.sites:
        yield f"{path}.scope.sites", "silence is judged by device, not by site: a device that is silent tells none"
