"""The difference of two rule sets: rules by their ids, and their changes, field by field."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from fleetpulse.numbers import exact
from fleetpulse.rules.kinds import Rule
from fleetpulse.rules.model import RuleSet, to_document

Fields = dict[str, Any]


class Change(NamedTuple):
    """A field of a rule that both sets have; None where one has the default."""

    id: str
    field: str
    before: Any
    after: Any


class Difference(NamedTuple):
    """The changes from one set to another. `reordered`: common rules are in another order."""

    added: tuple[Rule, ...]
    removed: tuple[Rule, ...]
    changed: tuple[Change, ...]
    reordered: bool

    def __bool__(self) -> bool:
        """Whether there is any."""
        return any(self[:])

    def lines(self) -> Iterator[str]:
        """As text: `+` added, `-` removed, `~` changed."""
        yield from (f"+ {_title(rule)}" for rule in self.added)
        yield from (f"- {_title(rule)}" for rule in self.removed)
        yield from (f"~ {c.id}: {c.field}: {in_words(c.before)} → {in_words(c.after)}" for c in self.changed)
        if self.reordered:
            yield "~ the order of the rules"

    def summary(self) -> str:
        """In a few words."""
        changed = len({change.id for change in self.changed})
        counts = ((len(self.added), "added"), (len(self.removed), "removed"), (changed, "changed"))
        counted = [f"{count:,} {what}" for count, what in counts if count]
        return ", ".join(counted + ["reordered"] * self.reordered) or "the same rules"

    def as_document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "added": [rule.id for rule in self.added],
            "removed": [rule.id for rule in self.removed],
            "changed": [change._asdict() for change in self.changed],
            "reordered": self.reordered,
        }


def difference(before: RuleSet, after: RuleSet) -> Difference:
    """Compare two sets."""
    old, new = ({rule.id: rule for rule in rules.rules} for rules in (before, after))
    old_fields, new_fields = ({f["id"]: fields_of(f) for f in to_document(rules)["rules"]} for rules in (before, after))
    kept = [id_ for id_ in old if id_ in new]
    changed = [
        Change(id_, name, old_fields[id_].get(name), new_fields[id_].get(name))
        for id_ in kept
        for name in old_fields[id_] | new_fields[id_]
        if old_fields[id_].get(name) != new_fields[id_].get(name)
    ]
    return Difference(
        tuple(rule for rule in after.rules if rule.id not in old),
        tuple(rule for rule in before.rules if rule.id not in new),
        tuple(changed),
        kept != [id_ for id_ in new if id_ in old],
    )


def fields_of(document: Any, path: str = "") -> Fields:
    """A document's values by path, as in `above.critical`; lists of plain values stay whole."""
    if isinstance(document, dict):
        below = [(f"{path}.{name}".lstrip("."), value) for name, value in document.items()]
    elif isinstance(document, list | tuple) and any(isinstance(value, dict) for value in document):
        below = [(f"{path}[{place}]", value) for place, value in enumerate(document)]
    else:
        return {path: document}
    return {name: value for place, inner in below for name, value in fields_of(inner, place).items()}


def _title(rule: Rule) -> str:
    return f"{rule.id} ({rule.kind})"


def in_words(value: Any) -> str:
    """A value in a line."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(in_words, value))}]"
    return "default" if value is None else exact(value) if isinstance(value, float) else str(value)
