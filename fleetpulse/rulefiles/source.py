"""YAML and JSON as plain values, with the line of each. Nothing in a file is code, and endless aliases are refused."""

import json
import math
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from fleetpulse.rulefiles.placeholders import fill
from fleetpulse.rules.model import shown

MAX_BYTES = 512 << 10
_MAX_VALUES = 100_000  # with those that an alias repeats: a few lines of aliases can stand for billions
_MAX_DEPTH = 40
_TAG = "tag:yaml.org,2002:"
_TEXTS = ("str", "timestamp")


class Position(NamedTuple):
    """Where a value stands, and the environment variables it was filled from."""

    line: int
    variables: Mapping[str, str] = {}

    @property
    def origin(self) -> str:
        """Where the value came from, as the end of a message; empty where it stands in the file."""
        filled = ", ".join(f"{name}={value!r}" for name, value in self.variables.items())
        return f" (from {filled})" if filled else ""


class Flaw(NamedTuple):
    """A fault, with its line and, if known, its field."""

    line: int | None
    path: str
    message: str


class Unreadable(Exception):  # noqa: N818  # not an error of ours: what is wrong with a file, in full
    """A file without readable values."""

    def __init__(self, flaws: list[Flaw]) -> None:
        super().__init__(flaws)
        self.flaws = flaws


class Source(NamedTuple):
    """The values of a file, and by path, as in `rules[2].above.critical`, where they stand."""

    content: object
    positions: Mapping[str, Position]


def parse(raw: bytes, is_json: bool, environment: Mapping[str, str]) -> Source:
    """Read a file's content.

    Raises:
        Unreadable: it is no YAML (or JSON) of values that rules have; lists all flaws, if it can go on.
    """
    text = _text(raw)
    node = _compose(_json_as_yaml(text) if is_json and text.strip() else text)
    walk = _Walk(is_json, environment)
    if node is None:
        raise Unreadable([Flaw(None, "", "the file is empty: expected `rules:`")])
    content = walk.value(node, "", 0)
    if walk.flaws:
        raise Unreadable(walk.flaws)
    return Source(content, walk.positions)


def _text(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        raise Unreadable([Flaw(None, "", f"larger than {MAX_BYTES >> 10} KiB")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as bad:
        line = raw.count(b"\n", 0, bad.start) + 1
        raise Unreadable([Flaw(line, "", f"byte 0x{raw[bad.start]:02x} is not UTF-8")]) from None


def _json_as_yaml(text: str) -> str:
    """JSON is YAML but for tabs between its values, and half characters. Within strings JSON has no tabs."""
    try:
        json.loads(text)
    except json.JSONDecodeError as bad:
        raise Unreadable([Flaw(bad.lineno, "", f"no JSON: {bad.msg}")]) from None
    except (ValueError, RecursionError):
        raise Unreadable([Flaw(None, "", "a number too long, or nested too deeply")]) from None
    return text.replace("\t", " ")


def _compose(text: str) -> Node | None:
    try:
        with warnings.catch_warnings():  # of an anchor that stands twice
            warnings.simplefilter("ignore")
            return YAML(typ="safe", pure=True).compose(text)  # type: ignore[no-any-return]
    except MarkedYAMLError as bad:
        line = bad.problem_mark.line + 1 if bad.problem_mark else None
        context = f"{bad.context}: " if bad.context else ""
        raise Unreadable([Flaw(line, "", f"no YAML: {context}{bad.problem}")]) from None
    except RecursionError:
        raise Unreadable([Flaw(None, "", "nested too deeply")]) from None
    except (YAMLError, ValueError, OverflowError) as bad:  # the latter two: an escape that is no character
        raise Unreadable([Flaw(None, "", f"no YAML: {str(bad).splitlines()[0]}")]) from None


class _Walk:
    """From nodes to values. Notes flaws and goes on, but for what would never end."""

    def __init__(self, is_json: bool, environment: Mapping[str, str]) -> None:
        self.positions: dict[str, Position] = {}
        self.flaws: list[Flaw] = []
        self._is_json = is_json
        self._environment = environment
        self._yaml = YAML(typ="safe", pure=True)
        self._values = 0

    def value(self, node: Node, path: str, depth: int) -> object:
        line = node.start_mark.line + 1
        self._values += 1
        if depth > _MAX_DEPTH or self._values > _MAX_VALUES:
            what = "nested too deeply" if depth > _MAX_DEPTH else f"more than {_MAX_VALUES:,} values"
            raise Unreadable([Flaw(line, "", f"{what}; an alias counts as all that it stands for")])
        self.positions.setdefault(path, Position(line))
        if isinstance(node, MappingNode) and node.tag == f"{_TAG}map":
            return {key: self.value(below, at, depth + 1) for key, below, at in self._entries(node, path)}
        if isinstance(node, SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.value(below, f"{path}[{index}]", depth + 1) for index, below in enumerate(node.value)]
        try:
            return self._scalar(node, path, line)
        except ValueError as bad:
            self.flaws.append(Flaw(line, path, f"{bad}{self.positions[path].origin}"))
            return None

    def _entries(self, node: MappingNode, path: str) -> Iterator[tuple[str, Node, str]]:
        first_lines: dict[str, int] = {}
        for key, below in node.value:
            line = key.start_mark.line + 1
            name = key.value if isinstance(key, ScalarNode) else None
            if not isinstance(name, str) or not re.fullmatch(r"[\w-]{1,64}", name):
                what = shown(name) if isinstance(key, ScalarNode) else "a list or mapping"
                self.flaws.append(Flaw(line, path, f"{what} is no name of a field"))
                continue
            at = f"{path}.{name}".lstrip(".")
            if name in first_lines:
                self.flaws.append(Flaw(line, at, f"stands twice, first in line {first_lines[name]}"))
                continue
            first_lines[name] = line
            self.positions[at] = Position(line)  # the key's line, which is where people look
            yield name, below, at

    def _scalar(self, node: Node, path: str, line: int) -> object:
        tag, text = str(node.tag), node.value
        if not isinstance(node, ScalarNode) or not isinstance(text, str):
            raise ValueError(f"the tag {tag} is not taken")
        if "${" in text:
            text, variables = fill(text, self._environment)
            self.positions[path] = Position(line, variables)
            if node.style is None or self._is_json:  # in quotes it is text, but JSON has no other way
                tag = str(self._yaml.resolver.resolve(ScalarNode, text, (True, False)))
        if self._is_json:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")  # joins escaped halves
        kind = tag.removeprefix(_TAG)
        return _text_of(text) if kind in _TEXTS else self._number(kind, tag, text)

    def _number(self, kind: str, tag: str, text: str) -> object:
        """Or true, false, nothing: all that YAML keeps apart from text."""
        constructor = self._yaml.constructor
        if kind not in ("null", "bool", "int", "float"):
            raise ValueError(f"the tag {tag} is not taken")
        try:
            value = getattr(constructor, f"construct_yaml_{kind}")(ScalarNode(tag, text))
        except (ValueError, LookupError, YAMLError):
            raise ValueError(f"{shown(text)} does not fit its tag") from None
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{shown(text)} is not a finite number")
        return value


def _text_of(text: str) -> str:
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("half a character is no text")
    return text
