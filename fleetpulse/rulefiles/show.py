"""Rules and their versions as text."""

from io import StringIO

from rich.table import Table
from ruamel.yaml import YAML

from fleetpulse.cli.tables import cell, echo
from fleetpulse.rulefiles.difference import difference, fields_of, in_words
from fleetpulse.rulefiles.files import Loaded
from fleetpulse.rules.model import RuleSet, to_document
from fleetpulse.rules.versions import Versions, in_force
from fleetpulse.times import iso

_IN_COLUMNS = ("id", "kind")


def warned(loaded: Loaded) -> RuleSet:
    """The rules that were read, after their warnings are printed to standard error."""
    for line in loaded.warnings:
        echo(f"warning: {line}", err=True)
    return loaded.rules


def rules(shown: RuleSet) -> Table:
    """One line a rule."""
    table = Table("id", "kind", "fields", box=None)
    for document in to_document(shown)["rules"]:
        fields = fields_of(document)
        others = {name: value for name, value in fields.items() if name not in _IN_COLUMNS and value != "0s"}
        listed = ", ".join(f"{name} {in_words(value)}" for name, value in others.items())
        table.add_row(*map(cell, (document["id"], document["kind"], listed)))
    return table


def versions(shown: Versions, now_ms: int) -> Table:
    """One line a version, in the order in which they take effect."""
    table = Table("version", "effective from", "state", "rules", "changes", box=None)
    before, current = RuleSet(()), in_force(shown, now_ms)
    for version in shown:
        state = "in force" if version is current else "to come" if version.effective_from_ms > now_ms else "replaced"
        changes = difference(before, version.rules).summary()
        table.add_row(
            str(version.version), iso(version.effective_from_ms), state, f"{len(version.rules.rules):,}", cell(changes)
        )
        before = version.rules
    return table


def as_file(shown: RuleSet) -> str:
    """The set as YAML that reads as the same set."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # fields stay in their order
    yaml.dump(to_document(shown), text := StringIO())
    return text.getvalue()
