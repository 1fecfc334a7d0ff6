"""docs/predecessors.md: what a row names as its proof exists and runs, and so do the commands and variables in it."""

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from fleetpulse.cli.main import fleetpulse
from tests.unit.deploy.docker.composition import ROOT
from tests.unit.test_makefile import HELP, parse, would

_ROW = re.compile(r"^\| (✓?) *\| (S\d)-(\d+) \| (.+?) \| (.+) \|$", re.MULTILINE)
_SPAN = re.compile(r"`([^`]+)`")
_TEST = re.compile(r"(tests/[\w/]+/test_\w+\.py)::(?:(\w+)::)?(test_\w+)")
_HEADING = re.compile(r"\]\(([\w./-]*\.md)?#[\w-]+\)")
_ASSIGNED = re.compile(r"([A-Z][A-Z0-9_]+)=\S*")


class Row(NamedTuple):
    """One feature of a predecessor, and what there is instead."""

    ticked: bool
    system: str
    number: int
    feature: str
    status: str

    @property
    def spans(self) -> list[str]:
        """What stands in backticks in the status."""
        return [span.replace("\\|", "|") for span in _SPAN.findall(self.status)]


def rows() -> list[Row]:
    """All rows of the page."""
    text = (ROOT / "docs" / "predecessors.md").read_text()
    return [
        Row(bool(tick), system, int(number), feature, status)
        for tick, system, number, feature, status in _ROW.findall(text)
    ]


ROWS = rows()
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.system}-{row.number:02d}")


def test_no_row_is_missing_or_there_twice() -> None:
    text = (ROOT / "docs" / "predecessors.md").read_text()
    assert len(ROWS) == len(re.findall(r"^\|.*\| S\d-", text, re.MULTILINE)) > 400
    for system in ("S0", "S1", "S2", "S3", "S4"):
        numbers = [row.number for row in ROWS if row.system == system]
        assert numbers == list(range(1, len(numbers) + 1))


@each_row
def test_a_row_is_ticked_where_it_works_and_says_otherwise_what_there_is(row: Row) -> None:
    assert re.match(r"works: |served by |open(;|$)", row.status)
    assert row.ticked == row.status.startswith("works: ")


@each_row
def test_a_row_that_is_not_open_names_the_test_that_asserts_it_or_a_heading(row: Row) -> None:
    if not row.status.startswith("open"):
        assert _TEST.search(row.status) or _HEADING.search(row.status)
    named = [span for span in row.spans if span.startswith("tests/") and ".py" in span]
    assert [span for span in named if not _TEST.fullmatch(span)] == []


@each_row
def test_every_test_that_is_named_exists_and_is_not_skipped(row: Row) -> None:
    for file, group, name in _TEST.findall(row.status):
        assert (group, name) in running_tests(file), f"{file}::{name}"


@cache
def running_tests(file: str) -> set[tuple[str, str]]:
    """The tests of a file that run on some machine at least, by their class, if any, and their name."""
    body = ast.parse((ROOT / file).read_text()).body
    marks = [ast.unparse(node.value) for node in body if isinstance(node, ast.Assign) and _is_pytestmark(node)]
    if any(_never_runs(mark) for mark in marks):
        return set()
    found = {("", function.name) for function in _functions(body)}
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test") and not _is_skipped(node):
            found |= {(node.name, function.name) for function in _functions(node.body)}
    return found


def _is_pytestmark(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)


def _functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not _is_skipped(node):
            yield node


def _is_skipped(node: ast.FunctionDef | ast.ClassDef) -> bool:
    return any(_never_runs(ast.unparse(decorator)) for decorator in node.decorator_list)


def _never_runs(mark: str) -> bool:
    """Whether a mark skips a test everywhere, or lets it fail."""
    return bool(re.search(r"mark\.(skip|xfail)\b", mark))


def test_a_test_that_is_not_run_is_none() -> None:
    body = ast.parse(
        "@pytest.mark.skip\ndef test_a(): ...\n"
        "@pytest.mark.xfail(reason='')\ndef test_b(): ...\n"
        "@pytest.mark.skipif(NO, reason='')\ndef test_c(): ...\n"
        "def helper(): ...\n"
    ).body
    assert [function.name for function in _functions(body)] == ["test_c"]


@each_row
def test_every_command_that_is_named_can_be_typed(row: Row) -> None:
    for span in row.spans:
        words = shlex.split(span.split("|")[0])
        while words and _ASSIGNED.fullmatch(words[0]):
            words.pop(0)
        if words[:1] == ["make"]:
            assert words[1] in HELP, span
            for line in would(*words[1:]).splitlines():
                if ".venv/bin/fleetpulse " in line:
                    parse(fleetpulse, shlex.split(line.split(".venv/bin/fleetpulse ", 1)[1].split("|")[0]))
        if words[:1] == ["fleetpulse"]:
            parse(fleetpulse, words[1:])


@cache
def known_names() -> set[str]:
    """Variables and options of all programs, of compose and of make."""
    files = ("docs/configuration.md", "docker-compose.yaml", ".env.example")
    names = {
        name for file in files for name in re.findall(r"--[a-z][\w.-]+|\b[A-Z][A-Z0-9_]+\b", (ROOT / file).read_text())
    }
    return names | set(re.findall(r"\b([A-Z][A-Z0-9_]+)\b", " ".join(HELP.values())))


@each_row
def test_every_variable_and_option_that_is_named_exists(row: Row) -> None:
    named = set()
    for span in row.spans:
        word = span.split()[0]
        if word.startswith("--"):
            named.add(word)
        elif (found := re.fullmatch(r"([A-Z][A-Z0-9_]+)(=.*)?", span)) or (found := _ASSIGNED.match(span)):
            named.add(found[1])
    assert named - known_names() == set()
