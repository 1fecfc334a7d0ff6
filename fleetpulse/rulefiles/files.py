"""Reads rule files: several make one set, and each fault is a line with file, line and field."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from fleetpulse.errors import ConfigurationError
from fleetpulse.rulefiles.source import MAX_BYTES, Position, Source, Unreadable, parse
from fleetpulse.rules import model as rule_types
from fleetpulse.rules.checks import faults, warnings
from fleetpulse.rules.kinds import Rule
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.parts import RuleError
from fleetpulse.rules.rule import Fault

_MOST_SHOWN = 20  # faults in one message


class RuleFileError(ConfigurationError):
    """All faults of rule files, a line each; several are `faults` of the error."""

    def __init__(self, lines: list[str]) -> None:
        shown = lines[:_MOST_SHOWN] + [f"and {len(lines) - _MOST_SHOWN:,} more"] * (len(lines) > _MOST_SHOWN)
        super().__init__(lines[0] if len(lines) == 1 else f"{len(lines):,} faults in rule files; see above")
        self.faults = shown if len(lines) > 1 else ()
        self.lines = shown
        self.count = len(lines)


class _File(NamedTuple):
    path: Path
    source: Source

    def fault(self, path: str, message: str) -> str:
        """A line: the file, the nearest line that is known, the field and what is wrong."""
        place = _nearest(self.source.positions, path)
        return f"{self.path}:{place.line}: {RuleError(path, message)}{place.origin}"


class Loaded(NamedTuple):
    """A set from files, and a line for each thing in it that may not be meant; `origins` has the file of each rule."""

    rules: RuleSet
    warnings: list[str]
    origins: "list[tuple[_File, int]]"

    def lines(self, found: Iterable[Fault]) -> list[str]:
        """A line for each thing that was found in the set, at its place in its file."""
        return list(_in_files(found, self.origins))


def load(paths: Path | Iterable[Path], environment: Mapping[str, str] = os.environ) -> RuleSet:
    """Read one set from one file or several; see `load_with_warnings`."""
    return load_with_warnings(paths, environment).rules


def load_with_warnings(paths: Path | Iterable[Path], environment: Mapping[str, str] = os.environ) -> Loaded:
    """Read one set from one file or several.

    Args:
        paths: YAML, or JSON where the name ends so.
        environment: what placeholders are filled from.

    Raises:
        RuleFileError: a file cannot be read, or holds no rules; names all the positions that are wrong.
    """
    files = [_read(path, environment) for path in ([paths] if isinstance(paths, Path) else paths)]
    rules: list[Rule] = []
    origins: list[tuple[_File, int]] = []
    wrong: list[str] = []
    for file in files:
        for place, item in enumerate(_items(file)):
            try:
                rules.extend(rule_types.read({"rules": [item]}).rules)
                origins.append((file, place))
            except RuleError as bad:
                wrong.append(file.fault(bad.path.replace("rules[0]", f"rules[{place}]", 1), bad.message))
    loaded = RuleSet(tuple(rules))
    wrong = wrong or list(_in_files(faults(loaded), origins))
    if wrong:
        raise RuleFileError(wrong)
    return Loaded(loaded, list(_in_files(warnings(loaded), origins)), origins)


def _read(path: Path, environment: Mapping[str, str]) -> _File:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        return _File(path, parse(raw, path.suffix.lower() == ".json", environment))
    except OSError as failed:
        raise RuleFileError([f"{path}: cannot be read: {failed.strerror}"]) from None
    except Unreadable as bad:
        raise RuleFileError(
            [
                f"{path}{f':{flaw.line}' if flaw.line else ''}: {f'{flaw.path}: ' if flaw.path else ''}{flaw.message}"
                for flaw in bad.flaws
            ]
        ) from None


def _items(file: _File) -> list[object]:
    """The rules of a file; checks the document around them."""
    content = file.source.content
    try:
        if isinstance(content, dict) and isinstance(content.get("rules"), list):
            rule_types.read({**content, "rules": []})
            return list(content["rules"])
        rule_types.read(content)
    except RuleError as bad:
        raise RuleFileError([file.fault(bad.path, bad.message)]) from None
    raise AssertionError("a set without a list of rules was taken")


def _in_files(found_in_set: Iterable[Fault], origins: list[tuple[_File, int]]) -> Iterator[str]:
    """A line for each fault of a set, at its place in the file that the rule came from."""
    for path, message in found_in_set:
        found = re.match(r"rules\[(\d+)\]", path)
        assert found, path
        file, place = origins[int(found[1])]
        yield file.fault(f"rules[{place}]{path[found.end() :]}", message)


def _nearest(positions: Mapping[str, Position], path: str) -> Position:
    """Where the field stands; for one that is missing, where what it is missing from stands."""
    while path and path not in positions:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return positions[path]
