"""What the documents point at is there: files, headings, folders, modules, tests."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = (".venv", ".fleetpulse", ".git", "build")
PAGES = [p for p in sorted(ROOT.rglob("*.md")) if p.relative_to(ROOT).parts[0] not in NOT_OURS]
FOREIGN = {"KIND", "NAME", "MapState", "_ms"}  # to be filled in, of Flink, and the end of a name
CODE = {".py", ".sql", ".yaml", ".json", ".avsc", ".txt"}
TOP = {p.name for p in ROOT.iterdir() if p.is_dir() and p.name not in NOT_OURS and not p.name.startswith(".")}

_FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} +(.*?) *#*$", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]*)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)+/?")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def prose(page: Path) -> str:
    """The text of a page without its code blocks."""
    return _FENCED.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """The fragments by which headings are reached, as GitHub makes them."""
    found: set[str] = set()
    seen: Counter[str] = Counter()
    for heading in _HEADING.findall(prose(page)):
        slug = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def broken(page: Path, target: str) -> bool:
    """Whether a relative link of a page leads nowhere."""
    path, _, fragment = target.partition("#")
    file = (page.parent / path) if path else page
    return not file.exists() or (bool(fragment) and (file.suffix != ".md" or fragment not in anchors(file)))


@each_page
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert [target for target in _LINK.findall(prose(page)) if broken(page, target)] == []


@each_page
def test_every_path_that_is_named_exists(page: Path) -> None:
    words = {word for code in _CODE.findall(prose(page)) for word in code.split()}
    named = {word for word in words if _PATH.fullmatch(word) and word.split("/")[0] in TOP}
    named -= {word for word in named if re.search("KIND|NAME", word)}  # to be filled in
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


@each_page
def test_every_test_that_is_named_is_where_the_link_leads(page: Path) -> None:
    named = re.findall(r"\[(test_\w+)\]\(([^)#]+\.py)\)", page.read_text())
    assert [name for name, file in named if f"\ndef {name}(" not in (page.parent / file).read_text()] == []


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_every_name_of_code_is_in_the_code(page: str) -> None:
    code = "".join(file.read_text() for top in sorted(TOP) for file in (ROOT / top).rglob("*.*") if file.suffix in CODE)
    words = set(re.findall(r"\w+", code + (ROOT / "Makefile").read_text() + (ROOT / "pyproject.toml").read_text()))
    names = {part for span in _CODE.findall(prose(ROOT / page)) for part in span.split(".") if part.isidentifier()}
    assert sorted(names - words - TOP - FOREIGN) == []


def test_a_link_to_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# The `one` thing\n\n## Twice\n\n## Twice\n\n```sh\n# no heading\n```\n")
    assert anchors(page) == {"the-one-thing", "twice", "twice-1"}
    assert not broken(page, "#the-one-thing")
    assert not broken(page, "page.md#twice-1")
    assert broken(page, "#no-heading")
    assert broken(page, "absent.md")
