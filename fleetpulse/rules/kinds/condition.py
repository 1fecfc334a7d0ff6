"""`condition`: several values and rules together, some of which may not be known yet."""

import math
from collections.abc import Callable, Iterator

from msgspec import UNSET, UnsetType, field

from fleetpulse.durations import DurationMs
from fleetpulse.rules.faults import metric_mistakes
from fleetpulse.rules.kinds.threshold import Threshold
from fleetpulse.rules.levels import LevelChange, Levels
from fleetpulse.rules.parts import Part, Severity
from fleetpulse.rules.rule import Fault, FollowingRule, ReadingRule
from fleetpulse.rules.sentences import lasting

Truth = bool | None  # None: not known
Ask = Callable[[str], Truth]  # by the key of a leaf
_DEEPEST = 40  # conditions within conditions, so that evaluating them fits any stack


class Node(Part, frozen=True, kw_only=True):
    """One of: `all`, `any`, `not`; a `metric` that is `above` or `below` a limit; another `rule` that is alarmed."""

    all: tuple["Node", ...] | UnsetType = UNSET
    any: tuple["Node", ...] | UnsetType = UNSET
    none: "Node | UnsetType" = field(default=UNSET, name="not")
    rule: str | UnsetType = UNSET
    metric: str | UnsetType = UNSET
    above: float | UnsetType = UNSET
    below: float | UnsetType = UNSET

    def children(self) -> Iterator[tuple[str, "Node"]]:
        """The conditions directly within it, each with the path of its field."""
        for name, nodes in (("all", self.all), ("any", self.any)):
            if not isinstance(nodes, UnsetType):
                yield from ((f"{name}[{index}]", child) for index, child in enumerate(nodes))
        if not isinstance(self.none, UnsetType):
            yield "not", self.none

    def walk(self, path: str) -> Iterator[tuple[str, "Node"]]:
        """It and all conditions within it, each with its path."""
        yield path, self
        for name, child in self.children():
            yield from child.walk(f"{path}.{name}")


class Condition(ReadingRule, frozen=True, kw_only=True, tag="condition"):
    """Several values or rules together."""

    when: Node
    hold: DurationMs = field(default_factory=DurationMs, name="for")
    severity: Severity = "warning"

    refers_to = (FollowingRule,)

    def faults(self, path: str) -> Iterator[Fault]:
        """What is wrong with the conditions within it."""
        nodes = [self.when]
        for _ in range(_DEEPEST):
            nodes = [child for node in nodes for _, child in node.children()]
        if nodes:
            yield f"{path}.when", f"nested more than {_DEEPEST} conditions deep"
            return
        for where, node in self.when.walk(f"{path}.when"):
            yield from _faults_of_node(where, node)

    def mistakes(self, path: str) -> Iterator[Fault]:
        """Names of metrics that readings cannot have."""
        for where, metric in self.metrics(path):
            yield from metric_mistakes(where, metric)

    def metrics(self, path: str) -> Iterator[tuple[str, str]]:
        """The metrics of its values against limits."""
        for where, node in self.when.walk(f"{path}.when"):
            if not isinstance(node.metric, UnsetType):
                yield f"{where}.metric", node.metric

    def references(self, path: str) -> Iterator[tuple[str, str]]:
        """The rules that it asks for."""
        for where, node in self.when.walk(f"{path}.when"):
            if not isinstance(node.rule, UnsetType):
                yield f"{where}.rule", node.rule

    def leaves(self) -> Iterator[Threshold]:
        """The values against limits within it, as thresholds whose ids are the keys they are asked for by."""
        for _, node in self.when.walk(""):
            if not isinstance(node.metric, UnsetType):
                above = None if isinstance(node.above, UnsetType) else Levels(critical=node.above)
                below = None if isinstance(node.below, UnsetType) else Levels(critical=node.below)
                yield Threshold(id=_key_of(self.id, node), metric=node.metric, above=above, below=below)

    def keys(self) -> Iterator[str]:
        """The keys of all that it asks for: ids of rules, and of its leaves."""
        yield from (rule_id for _, rule_id in self.references(""))
        yield from (leaf.id for leaf in self.leaves())

    def truth(self, ask: Ask) -> Truth:
        """Whether it holds, in Kleene's logic: what is not known makes neither `not` nor `all` true."""
        return _truth(self.id, self.when, ask)

    def describe(self, change: LevelChange) -> str:
        """That it holds, and how long."""
        return f"the condition {self.id} holds{lasting(change)}"

    def describe_recovery(self, change: LevelChange) -> str:  # noqa: ARG002
        """That it does not hold."""
        return f"the condition {self.id} no longer holds"


def _faults_of_node(path: str, node: Node) -> Iterator[Fault]:
    given = [name for name in ("all", "any", "none", "rule", "metric") if getattr(node, name) is not UNSET]
    if len(given) != 1:
        yield path, "expected exactly one of `all`, `any`, `not`, `rule` and `metric`"
    limits = [limit for limit in (node.above, node.below) if limit is not UNSET]
    if bool(limits) != (given == ["metric"]) or len(limits) > 1 or not all(math.isfinite(limit) for limit in limits):
        yield path, "expected a `metric` with one finite `above` or `below`"
    for name, nodes in (("all", node.all), ("any", node.any)):
        if nodes == ():
            yield f"{path}.{name}", "expected at least one condition"


def _key_of(rule_id: str, node: Node) -> str:
    """The key of a value against a limit; no rule has an id like it."""
    side, limit = ("<", node.below) if isinstance(node.above, UnsetType) else (">", node.above)
    return f"{rule_id}/{node.metric}{side}{limit}"


def _truth(rule_id: str, node: Node, ask: Ask) -> Truth:
    if not isinstance(node.rule, UnsetType):
        return ask(node.rule)
    if not isinstance(node.metric, UnsetType):
        return ask(_key_of(rule_id, node))
    if not isinstance(node.none, UnsetType):
        inner = _truth(rule_id, node.none, ask)
        return None if inner is None else not inner
    parts = [_truth(rule_id, child, ask) for _, child in node.children()]
    decisive = isinstance(node.all, UnsetType)  # one true one is enough for `any`, one false one for not `all`
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive
