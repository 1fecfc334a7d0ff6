"""What a stack runs on request, by name."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fleetpulse.errors import ConfigurationError
from fleetpulse.stack import cli, lifecycle
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.processes import supervision


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[frozenset[str]]:
    found: list[frozenset[str]] = []

    def up(stack: Layout) -> list[str]:
        found.append(stack.optional)
        return []

    monkeypatch.setattr(lifecycle, "up", up)
    monkeypatch.setattr(cli, "show_addresses", lambda _stack: None)
    return found


def invoke(folder: Path, *arguments: str) -> Any:
    return CliRunner().invoke(cli.command, ["up", "--dir", str(folder), *arguments])


@pytest.mark.parametrize(
    "arguments",
    [
        ("--with", "prometheus,registry, search,s3"),
        ("--with", "prometheus,registry", "--with", "s3", "--with", "search"),
    ],
    ids=["separated by commas", "several times"],
)
def test_several_are_asked_for_at_once(
    tmp_path: Path, asked_for: list[frozenset[str]], arguments: tuple[str, ...]
) -> None:
    assert invoke(tmp_path, *arguments).exit_code == 0
    assert asked_for == [{"prometheus", "registry", "search", "s3"}]


def test_what_is_not_known_is_refused_by_name(tmp_path: Path, asked_for: list[frozenset[str]]) -> None:
    refused = invoke(tmp_path, "--with", "search,redis")
    assert refused.exit_code == 2
    assert "'redis' is not one of" in refused.output
    assert asked_for == []


@pytest.mark.parametrize(
    ("runs", "added"),
    [("vector", "search"), ("prometheus", "vector"), ("search", "vector"), ("search", "registry")],
)
def test_what_a_running_program_would_have_to_know_of_is_not_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: str, added: str
) -> None:
    Layout(tmp_path, 1000, frozenset({runs})).save()
    monkeypatch.setattr(supervision, "is_running", lambda _stack: True)
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    with pytest.raises(ConfigurationError, match=f"--with {added}: {runs} runs without it; stop it first"):
        list(lifecycle.up(Layout(tmp_path, 1000, frozenset({runs, added}))))
