"""docs/rules.md tells every kind and field of the model, with its default, and no other."""

import json
import re
from pathlib import Path

import click
import msgspec
import pytest
from msgspec import UNSET

from fleetpulse.durations import DurationMs
from fleetpulse.records.metrics import UNITS
from fleetpulse.rulefiles.cli import command
from fleetpulse.rulefiles.files import load
from fleetpulse.rules.areas import Circle, Polygon
from fleetpulse.rules.kinds import KINDS
from fleetpulse.rules.kinds.condition import Node
from fleetpulse.rules.levels import Levels
from fleetpulse.rules.rule import Scope
from fleetpulse.rules.versions import decode, encode

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "rules.md").read_text()
COMMON = {"id", "scope"}
KAFKA = {"--kafka.bootstrap.servers", "--dir"}  # which every command has


def fields(kind: type) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def rows(text: str) -> dict[str, str]:
    """The second column of tables, by the names in the first; empty where there is no third."""
    found = {}
    for names, second, rest in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([^|\n]*)\|(.*)$", text, re.MULTILINE):
        found |= dict.fromkeys(re.findall(r"`(\w+)`", names), second.strip() if rest else "")
    return found


def section(kind: str) -> str:
    (text,) = re.findall(rf"^### `{kind}`\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    return text


def part(kind: str) -> str:
    """The section without the tables of what is within its fields."""
    return re.split(r"^(?:`area`:|A condition is exactly one of:)$", section(kind), flags=re.MULTILINE)[0]


def test_the_page_has_every_kind_and_no_other() -> None:
    assert sorted(re.findall(r"^### `(\w+)`$", PAGE, re.MULTILINE)) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_kind_is_told_and_no_other(kind: str) -> None:
    assert rows(part(kind)).keys() == fields(KINDS[kind]).keys() - COMMON


@pytest.mark.parametrize("kind", KINDS)
def test_every_default_is_told(kind: str) -> None:
    told = rows(part(kind))
    for name, field in fields(KINDS[kind]).items():
        default = (
            field.default_factory() if field.default is msgspec.NODEFAULT and not field.required else field.default
        )
        if name not in COMMON:
            assert told[name] == in_words(default), name


def in_words(default: object) -> str:
    if default is msgspec.NODEFAULT:
        return ""
    if isinstance(default, str | DurationMs):
        return str(default)
    return "none" if default is None else f"{default:g}"


def test_what_is_within_fields_is_told() -> None:
    common = PAGE.split("## What every rule has")[1].split("## Kinds")[0]
    assert rows(common).keys() == {"kind", "id", "scope", *fields(Scope), *fields(Levels)}
    area = section("geofence").split("`area`:")[1]
    assert rows(area).keys() == {"shape", *fields(Circle), *fields(Polygon)}
    node = section("condition").split("A condition is exactly one of:")[1]
    assert set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.*?) \|", node, re.MULTILINE)))) == {*fields(Node)}
    assert all(field.default is UNSET for field in fields(Node).values())


@pytest.mark.parametrize("metric", UNITS)
def test_every_metric_is_told(metric: str) -> None:
    assert f"`{metric}`" in PAGE


def test_every_example_is_a_set(tmp_path: Path) -> None:
    examples = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    kinds = set()
    for example in examples:
        (tmp_path / "example.yaml").write_text(example)
        kinds |= {type(rule) for rule in load(tmp_path / "example.yaml", {}).rules}
    assert kinds == set(KINDS.values())


@pytest.mark.parametrize("name", sorted(command.commands))
def test_every_command_and_its_options_are_told(name: str) -> None:
    assert f"fleetpulse rules {name}" in PAGE
    options = {o.opts[0] for o in command.commands[name].params if isinstance(o, click.Option)} - KAFKA
    assert [option for option in options if not re.search(rf"{re.escape(option)}[` ]", PAGE)] == []


def test_the_record_is_one() -> None:
    (record,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    version = decode(record.encode())
    assert json.loads(record) == json.loads(encode(version))
