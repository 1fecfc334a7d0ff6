"""Checks of a set of rules beyond its types. Checks of the fields of a kind are in the file of that kind."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

import msgspec

from fleetpulse.records.metrics import UNITS, is_metric_name, nearest_metric
from fleetpulse.rules.faults import glob_mistakes, metric_mistakes
from fleetpulse.rules.kinds import KINDS, Rule
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.parts import RuleError
from fleetpulse.rules.rule import Fault, ReadingRule, SilenceRule

RULE_ID = "inactivity"  # of alerts by the timeout that is no rule
CLOCK_RULE_ID = "clock"  # of alerts on wrong clocks


def check(rules: RuleSet) -> RuleSet:
    """Return the set as it is, if it has no faults.

    Raises:
        RuleError: it has; names the first field.
    """
    return _first_raised(rules, faults)


def check_published(rules: RuleSet) -> RuleSet:
    """Return a set from the rules topic or from state as it is, if a job can evaluate it.

    Raises:
        RuleError: none can; names the first field.
    """
    return _first_raised(rules, contradictions)


def _first_raised(rules: RuleSet, of: Callable[[RuleSet], Iterable[Fault]]) -> RuleSet:
    for path, message in of(rules):
        raise RuleError(path, message)
    return rules


def faults(rules: RuleSet) -> Iterator[Fault]:
    """Yield all faults for which rule files are refused.

    They are contradictions, and rules that can be evaluated but make no sense. Earlier versions accepted the latter, so
    they may be on the rules topic.
    """
    yield from contradictions(rules)
    for index, rule in enumerate(rules.rules):
        path = f"rules[{index}]"
        if rule.id == CLOCK_RULE_ID:
            yield f"{path}.id", f"{rule.id!r} is the id of the alerts on wrong clocks"
        if isinstance(rule, ReadingRule) and rule.metric is not None and is_metric_name(rule.metric):
            yield from metric_mistakes(f"{path}.metric", rule.metric)
        yield from glob_mistakes(f"{path}.scope.devices", rule.scope.devices)
        yield from glob_mistakes(f"{path}.scope.sites", rule.scope.sites)
        yield from rule.mistakes(path)


def contradictions(rules: RuleSet) -> Iterator[Fault]:
    """All faults that keep a job from evaluating the set."""
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
        yield from _common_contradictions(path, rule)
        yield from rule.faults(path)
    for index, rule in enumerate(rules.rules):
        for path, name in rule.references(f"rules[{index}]"):
            if not isinstance(by_id.get(name), rule.refers_to):
                yield path, f"{name!r} is not the id of a rule that can be referred to"


def _common_contradictions(path: str, rule: Rule) -> Iterator[Fault]:
    if isinstance(rule, ReadingRule) and rule.metric is not None and not is_metric_name(rule.metric):
        yield f"{path}.metric", f"{rule.metric!r} is no name of a metric"
    if "" in rule.scope.devices or not rule.scope.devices:
        yield f"{path}.scope.devices", "expected globs of device ids, at least one"
    if isinstance(rule, SilenceRule) and rule.scope.sites:
        yield f"{path}.scope.sites", "silence is evaluated by device, not by site: a silent device reports no site"


def starving(rules: RuleSet, metrics: Collection[str]) -> Iterator[Fault]:
    """The metrics that rules need and that are not among those that arrive."""
    for index, rule in enumerate(rules.rules):
        if isinstance(rule, ReadingRule):
            for path, metric in rule.metrics(f"rules[{index}]"):
                if metric not in metrics:
                    yield path, f"no record has `{metric}`: {rule.id!r} {_WITHOUT.get(rule.kind, 'never fires')}"


_WITHOUT = {"missing": "fires for every device", "condition": "never knows it"}


def _unusual_metrics(by_path: Mapping[str, Rule]) -> Iterator[Fault]:
    """Metrics that only some records can bring, each at the first rule that names it."""
    first: dict[str, str] = {}
    for path, rule in by_path.items():
        for where, metric in rule.metrics(path) if isinstance(rule, ReadingRule) else ():
            first.setdefault(metric, where)
    for metric, where in first.items():
        if metric not in UNITS:
            near = nearest_metric(metric)
            meant = (
                f"; is `{near}` meant?" if near is not None else ", and a field of this name in telemetry is dropped"
            )
            yield (
                where,
                f"`{metric}` comes only in records that name it as their sensor_type, event_type or name{meant}",
            )


def warnings(rules: RuleSet) -> list[Fault]:
    """Probable mistakes in a set without faults, in the order of its rules."""
    by_path = {f"rules[{index}]": rule for index, rule in enumerate(rules.rules)}
    found: list[Fault] = []
    for kind in KINDS.values():
        found += kind.warnings({path: rule for path, rule in by_path.items() if type(rule) is kind})
    shadowed, first = dict(found), dict[Rule, str]()
    for path, rule in by_path.items():
        nameless = msgspec.structs.replace(rule, id="")
        if first.setdefault(nameless, rule.id) != rule.id and path not in shadowed:
            found.append((path, f"is the same as {first[nameless]!r}"))
    found += _unusual_metrics(by_path)
    order = {path: index for index, path in enumerate(by_path)}
    return sorted(found, key=lambda fault: order[fault[0].partition("]")[0] + "]"])
