"""A set of rules, read as a whole and checked as a whole, or refused.

The kinds of rules are in `fleetpulse.rules.kinds`, and described in `docs/rules.md`. `fleetpulse.anomaly.watch` and
`fleetpulse.inactivity.watch` evaluate them.
"""

import re
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Struct

from fleetpulse.durations import DurationMs
from fleetpulse.durations import parse as parse_duration
from fleetpulse.rules.kinds import KINDS, Rule
from fleetpulse.rules.parts import RuleError

_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "float": "a number",
    "int": "a whole number",
    "str": "text",
    "bool": "true or false",
}
_CHOICES = {
    "kind": tuple(KINDS),
    "shape": ("circle", "polygon"),
    **{
        field.encode_name: get_args(field.type)
        for kind in KINDS.values()
        for field in msgspec.structs.fields(kind)
        if get_origin(field.type) is Literal
    },
}
_SHOWN_CHARS = 60


class RuleSet(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Rules that take effect together."""

    rules: tuple[Rule, ...]


def _dec_hook(wanted: type, value: object) -> object:
    assert wanted is DurationMs
    return parse_duration(value)


def _enc_hook(value: object) -> object:
    assert isinstance(value, DurationMs)
    return str(value)


def _schema_hook(wanted: type) -> dict[str, Any]:
    assert wanted is DurationMs
    return {"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$", "examples": ["30s", "5m"]}


def read(document: object) -> RuleSet:
    """Read a set from parsed YAML or JSON; `fleetpulse.rules.checks` checks more than its types.

    Raises:
        RuleError: a field is unknown, missing or of another type; names it.
    """
    try:
        return msgspec.convert(document, RuleSet, dec_hook=_dec_hook)
    except msgspec.ValidationError as bad:
        message, _, path = str(bad).partition(" - at `$")
        raise in_words(path.rstrip("`").lstrip("."), message, document) from None
    except RecursionError:
        raise RuleError("rules", "nested too deeply") from None


def in_words(path: str, message: str, document: object) -> RuleError:
    """What msgspec found, in the words of who writes rules: the index, what is expected there, what was found."""
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", message, re.DOTALL):
        name = unknown[1] if re.fullmatch(r"[\w-]+", unknown[1]) else shown(unknown[1])
        return RuleError(f"{path}.{name}".lstrip("."), "unknown field")
    if missing := re.fullmatch(r"Object missing required field `(.*)`", message):
        return RuleError(path, f"`{missing[1]}` is missing")
    found = shown(_value_at(document, path))
    if wrong := re.fullmatch(r"Expected `(\w+(?: \| \w+)*).*?`(?: of length (\d+))?, got .*", message):
        kinds = [_WORDS.get(kind, kind) for kind in wrong[1].split(" | ") if kind != "null"]
        expected = " or ".join(kinds) + (f" of {wrong[2]}" if wrong[2] else "")
        return RuleError(path, f"expected {expected}, got {found}")
    if choices := _CHOICES.get(path.rpartition(".")[2]):
        return RuleError(path, f"expected one of {', '.join(choices)}, got {found}")
    return RuleError(path, message[:1].lower() + message[1:])


def _value_at(document: Any, path: str) -> object:
    for name, index in re.findall(r"(\w+)|\[(\d+)\]", path):
        document = document[name or int(index)]
    return document


def shown(value: object) -> str:
    """A value as messages show it, in one short line."""
    if isinstance(value, dict | list | tuple | NoneType):
        return "nothing" if value is None else "a mapping" if isinstance(value, dict) else f"a list of {len(value)}"
    text = str(value).lower() if isinstance(value, bool) else ascii(value)
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"


def to_document(rules: RuleSet) -> dict[str, Any]:
    """The set as plain values, as `read` takes them."""
    document: dict[str, Any] = msgspec.to_builtins(rules, enc_hook=_enc_hook)
    return document


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a rule file."""
    return msgspec.json.schema(RuleSet, schema_hook=_schema_hook)
