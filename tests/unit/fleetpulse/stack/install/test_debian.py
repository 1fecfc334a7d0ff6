"""Programs from Debian's packages: found, brought whole, or refused in one line."""

import os
from pathlib import Path

import pytest

from fleetpulse.errors import FleetpulseError
from fleetpulse.stack.install import debian
from fleetpulse.stack.install.debian import Tool

TOOL, OTHER = Tool("tool", "tool"), Tool("other", "other")

# apt-get and dpkg-deb as far as they are used: a package with the program `tool`.
APT = """#!/bin/sh
echo "apt-get $*" >> "$CALLS"
case "$*" in *lists*) ;; *) [ -z "$NO_LISTS" ] || { echo "E: Unable to locate package tool" >&2; exit 100; } ;; esac
[ -z "$OFFLINE" ] || { echo "E: no network" >&2; exit 100; }
args="$*"
case "$args" in *download*) for name in ${args##*download}; do touch ${name}_1_amd64.deb; done ;; esac
"""
DPKG = """#!/bin/sh
name=${PROGRAM:-$(basename "$2" _1_amd64.deb)}
mkdir -p "$3/usr/bin" && touch "$3/usr/bin/$name"
"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(debian, "packages_dir", lambda: tmp_path / "packages")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in {"apt-get": APT, "dpkg-deb": DPKG}.items():
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "packages"


def calls(tmp_path: Path) -> list[str]:
    """What apt was asked for."""
    said = tmp_path / "calls"
    words = [line.split() for line in said.read_text().splitlines()] if said.exists() else []
    return [next(word for word in line if word in ("download", "update")) for line in words]


def test_a_program_on_path_is_taken_as_it_is(packages: Path, tmp_path: Path) -> None:
    debian.install(Tool("tool", "nowhere", "apt-get"))
    assert debian.find(Tool("tool", "nowhere", "apt-get")) == tmp_path / "bin" / "apt-get"
    assert calls(tmp_path) == []


def test_a_package_is_brought_once_and_leaves_nothing_else(packages: Path, tmp_path: Path) -> None:
    debian.install(TOOL)
    debian.install(TOOL)
    assert debian.find(TOOL) == packages / "tool" / "usr" / "bin" / "tool"
    assert calls(tmp_path) == ["download"]
    assert [folder.name for folder in packages.iterdir()] == ["tool"]


def test_several_packages_are_brought_at_once(packages: Path, tmp_path: Path) -> None:
    debian.install(TOOL, OTHER)
    assert debian.find(TOOL).exists()
    assert debian.find(OTHER).exists()
    assert calls(tmp_path) == ["download"]


def test_a_system_without_lists_of_packages_gets_lists_of_our_own(
    packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_LISTS", "1")
    debian.install(TOOL)
    assert calls(tmp_path) == ["download", "update", "download"]
    assert [folder.name for folder in packages.iterdir()] == ["tool"]


def test_what_cannot_be_downloaded_says_so_and_leaves_nothing(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFLINE", "1")
    with pytest.raises(FleetpulseError, match="apt-get update has failed: E: no network"):
        debian.install(TOOL)
    assert list(packages.iterdir()) == []


def test_a_package_without_the_program_is_refused(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROGRAM", "other")
    with pytest.raises(FleetpulseError, match="Debian's package tool has no tool: install it by other means"):
        debian.install(TOOL)


def test_a_system_that_is_no_debian_is_told_what_to_install(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(FleetpulseError, match="tool: not on PATH, and there is no apt to bring it; install it"):
        debian.install(TOOL)
