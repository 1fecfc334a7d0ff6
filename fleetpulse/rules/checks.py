"""What is wrong with a set of rules beyond its types."""

import math
from collections.abc import Iterable, Iterator

from msgspec import UNSET, UnsetType

from fleetpulse.records.metrics import is_metric_name
from fleetpulse.rules.model import (
    Battery,
    Circle,
    Condition,
    Deviation,
    Flapping,
    Geofence,
    Levels,
    Missing,
    NeverSeen,
    Node,
    OfSilence,
    Polygon,
    Rate,
    Rule,
    RuleError,
    RuleSet,
    Stuck,
    Threshold,
)

RULE_ID = "inactivity"  # of alerts by the timeout that is no rule
_MOST = 1_000_000  # of what is counted; JSON on the topic has no whole numbers beyond 64 bits
_CAN_BE_REFERRED_TO = Threshold | Battery | Rate | Stuck | Missing | Geofence | Deviation


def check(rules: RuleSet) -> RuleSet:
    """Return the set as it is.

    Raises:
        RuleError: it contradicts itself; names the first index.
    """
    for path, message in faults(rules):
        raise RuleError(path, message)
    return rules


def faults(rules: RuleSet) -> Iterator[tuple[str, str]]:
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
        yield from _faults_of_rule(path, rule)
    for index, rule in enumerate(rules.rules):
        for path, name in _references(f"rules[{index}]", rule):
            allowed = _CAN_BE_REFERRED_TO | Condition if isinstance(rule, Flapping) else _CAN_BE_REFERRED_TO
            if not isinstance(by_id.get(name), allowed):
                yield path, f"{name!r} is not the id of a rule that can be referred to"


def _faults_of_rule(path: str, rule: Rule) -> Iterator[tuple[str, str]]:
    metric = getattr(rule, "metric", "battery")
    if not is_metric_name(metric):
        yield f"{path}.metric", f"{metric!r} is no name of a metric"
    if "" in rule.scope.devices or not rule.scope.devices:
        yield f"{path}.scope.devices", "expected globs of device ids, at least one"
    if isinstance(rule, OfSilence) and rule.scope.sites:
        yield f"{path}.scope.sites", "silence is judged by device, not by site: a device that is silent tells none"
    for name in ("hysteresis", "tolerance", "least_deviation"):
        if not 0 <= getattr(rule, name, 0.0) < math.inf:
            yield f"{path}.{name}", f"{getattr(rule, name)} is not a finite number from 0 on"
    for name in ("timeout", "within", "per"):
        if getattr(rule, name, 1) <= 0:
            yield f"{path}.{name}", "must be more than 0"
    if isinstance(rule, Threshold) and rule.above is None and rule.below is None:
        yield path, "expected `above`, `below` or both"
    for name, rising in (("above", True), ("below", False), ("sigmas", True)):
        levels = getattr(rule, name, None)
        if levels is not None:
            yield from _faults_of_levels(f"{path}.{name}", levels, rising, isinstance(rule, Rate | Deviation))
    if isinstance(rule, Threshold) and rule.above and rule.below:
        yield from _overlap(path, rule.above, rule.below)
    if isinstance(rule, Stuck | Missing) and rule.hold <= 0:
        yield f"{path}.for", "must be more than 0"
    if isinstance(rule, Deviation):
        if not 0 < rule.weight < 1:
            yield f"{path}.weight", f"{rule.weight} is not between 0 and 1"
        if not 2 <= rule.warm_up <= _MOST:
            yield f"{path}.warm_up", f"{rule.warm_up} is not from 2 to {_MOST:,} readings"
    if isinstance(rule, Flapping) and not 2 <= rule.opens <= _MOST:
        yield f"{path}.opens", f"{rule.opens} is not from 2 to {_MOST:,}"
    if isinstance(rule, NeverSeen) and (not rule.devices or any(not 0 < len(d) <= 128 for d in rule.devices)):
        yield f"{path}.devices", "expected device ids of 1 to 128 characters, at least one"
    if isinstance(rule, Geofence):
        yield from _faults_of_area(f"{path}.area", rule.area)
    if isinstance(rule, Condition):
        yield from _faults_of_node(f"{path}.when", rule.when)


def _faults_of_levels(path: str, levels: Levels, rising: bool, positive: bool) -> Iterator[tuple[str, str]]:
    given = [level for level in (levels.warning, levels.critical) if level is not None]
    if not given:
        yield path, "expected `warning`, `critical` or both"
    elif not all(map(math.isfinite, given)) or (positive and min(given) <= 0):
        yield path, "expected finite numbers" + (" above 0" if positive else "")
    elif len(given) == 2 and (given[0] > given[1] if rising else given[0] < given[1]):
        yield f"{path}.critical", f"{given[1]:g} comes before the warning at {given[0]:g}"


def _overlap(path: str, above: Levels, below: Levels) -> Iterator[tuple[str, str]]:
    lowest_above = min(level for level in (above.warning, above.critical) if level is not None)
    highest_below = max(level for level in (below.warning, below.critical) if level is not None)
    if highest_below > lowest_above:
        yield f"{path}.below", f"{highest_below:g} is more than the limit above, {lowest_above:g}"


def _faults_of_area(path: str, area: Circle | Polygon) -> Iterator[tuple[str, str]]:
    if isinstance(area, Circle) and not 0 < area.radius_m < math.inf:
        yield f"{path}.radius_m", f"{area.radius_m:g} is not a finite number above 0"
    corners = [(area.lat, area.lon)] if isinstance(area, Circle) else area.corners
    if isinstance(area, Polygon) and len(corners) < 3:
        yield f"{path}.corners", f"{len(corners)} corners make no area"
    if any(not (-90 <= lat <= 90 and -180 <= lon <= 180) for lat, lon in corners):
        yield path, "expected latitudes from -90 to 90 and longitudes from -180 to 180"


def _faults_of_node(path: str, node: Node) -> Iterator[tuple[str, str]]:
    given = [name for name in ("all", "any", "none", "rule", "metric") if getattr(node, name) is not UNSET]
    if len(given) != 1:
        yield path, "expected exactly one of `all`, `any`, `not`, `rule` and `metric`"
    limits = [limit for limit in (node.above, node.below) if limit is not UNSET]
    if bool(limits) != (given == ["metric"]) or len(limits) > 1 or not all(math.isfinite(limit) for limit in limits):
        yield path, "expected a `metric` with one finite `above` or `below`"
    for name, nodes in (("all", node.all), ("any", node.any)):
        if nodes == ():
            yield f"{path}.{name}", "expected at least one condition"
    for name, below in _children(node):
        yield from _faults_of_node(f"{path}.{name}", below)


def _children(node: Node) -> Iterable[tuple[str, Node]]:
    for name, nodes in (("all", node.all), ("any", node.any)):
        if not isinstance(nodes, UnsetType):
            yield from ((f"{name}[{index}]", below) for index, below in enumerate(nodes))
    if not isinstance(node.none, UnsetType):
        yield "not", node.none


def _references(path: str, rule: Rule) -> Iterator[tuple[str, str]]:
    if isinstance(rule, Flapping):
        yield f"{path}.rule", rule.rule
    if isinstance(rule, Condition):
        yield from _references_of_node(f"{path}.when", rule.when)


def _references_of_node(path: str, node: Node) -> Iterator[tuple[str, str]]:
    if not isinstance(node.rule, UnsetType):
        yield f"{path}.rule", node.rule
    for name, below in _children(node):
        yield from _references_of_node(f"{path}.{name}", below)
