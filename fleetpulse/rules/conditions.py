"""Conditions: what several values and rules say together, where something may not be known yet."""

from collections.abc import Callable, Iterator

from msgspec import UnsetType

from fleetpulse.rules.model import Levels, Node, Threshold

Truth = bool | None  # None: not known
Ask = Callable[[str], Truth]  # by the key of a leaf


def leaves(rule_id: str, node: Node) -> Iterator[Threshold]:
    """The values against limits in a condition, as thresholds whose ids are the keys they are asked for by."""
    for child in _children(node):
        yield from leaves(rule_id, child)
    if not isinstance(node.metric, UnsetType):
        above = None if isinstance(node.above, UnsetType) else Levels(critical=node.above)
        below = None if isinstance(node.below, UnsetType) else Levels(critical=node.below)
        yield Threshold(id=key_of(rule_id, node), metric=node.metric, above=above, below=below)


def references(node: Node) -> Iterator[str]:
    """The ids of the rules that a condition asks for."""
    for child in _children(node):
        yield from references(child)
    if not isinstance(node.rule, UnsetType):
        yield node.rule


def keys(rule_id: str, node: Node) -> Iterator[str]:
    """The keys of all that a condition asks for."""
    yield from references(node)
    for leaf in leaves(rule_id, node):
        yield leaf.id


def key_of(rule_id: str, node: Node) -> str:
    """The key of a value against a limit; no rule has an id like it."""
    side, limit = ("<", node.below) if isinstance(node.above, UnsetType) else (">", node.above)
    return f"{rule_id}/{node.metric}{side}{limit}"


def truth(rule_id: str, node: Node, ask: Ask) -> Truth:
    """Whether a condition holds, in Kleene's logic: what is not known makes neither `not` nor `all` true."""
    if not isinstance(node.rule, UnsetType):
        return ask(node.rule)
    if not isinstance(node.metric, UnsetType):
        return ask(key_of(rule_id, node))
    if not isinstance(node.none, UnsetType):
        inner = truth(rule_id, node.none, ask)
        return None if inner is None else not inner
    parts = [truth(rule_id, child, ask) for child in _children(node)]
    decisive = isinstance(node.all, UnsetType)  # one true one is enough for `any`, one false one for not `all`
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive


def _children(node: Node) -> Iterator[Node]:
    for nodes in (node.all, node.any):
        if not isinstance(nodes, UnsetType):
            yield from nodes
    if not isinstance(node.none, UnsetType):
        yield node.none
