"""Programs from Debian's packages, unpacked beside the Java artifacts: no root, nothing installed in the system."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from fleetpulse.errors import FleetpulseError
from fleetpulse.stack.install.disk import check_free_space
from fleetpulse.stack.layout import packages_dir

_NEEDED_BYTES = 300 << 20  # archives, their content, and if missing, the lists of packages
_TIMEOUT_S = 300


class Tool(NamedTuple):
    """A program: Debian's package of it, and its name there; elsewhere it may have another."""

    package: str
    name: str
    other_name: str | None = None


def find(tool: Tool) -> Path:
    """A program: the one on PATH, else where it is, or would be, in the unpacked package."""
    on_path = shutil.which(tool.name) or (tool.other_name and shutil.which(tool.other_name))
    return Path(on_path) if on_path else packages_dir() / tool.package / "usr" / "bin" / tool.name


def install(*tools: Tool) -> None:
    """Download the packages of programs that are neither on PATH nor unpacked.

    Raises:
        FleetpulseError: one cannot be downloaded; names what to install.
    """
    missing = [tool for tool in tools if not find(tool).exists()]
    if missing:
        _unpack({tool.package for tool in missing})
    for tool in missing:
        if not find(tool).exists():
            raise FleetpulseError(f"Debian's package {tool.package} has no {tool.name}: install it by other means")


def _unpack(packages: set[str]) -> None:
    """Download packages, each completely or not at all. apt verifies Debian's signature."""
    names = " and ".join(sorted(packages))
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise FleetpulseError(f"{names}: not on PATH, and there is no apt to bring it; install it")
    folder = packages_dir()
    folder.mkdir(parents=True, exist_ok=True)
    check_free_space(folder, _NEEDED_BYTES)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as part:
        for archive in _download(sorted(packages), Path(part)):
            content, target = archive.with_suffix(".content"), folder / archive.name.split("_")[0]
            _run("dpkg-deb", "-x", str(archive), str(content), cwd=Path(part))
            try:
                content.rename(target)
            except OSError:
                if not target.exists():  # else another process was faster
                    raise


def _download(packages: Iterable[str], part: Path) -> list[Path]:
    try:
        _apt(part, "download", *packages)
    except FleetpulseError:  # the system has no lists of packages, or old ones: lists of our own, which need no root
        own = [f"-oDir::State::lists={part / 'lists'}", f"-oDir::Cache={part / 'cache'}"]
        (part / "lists" / "partial").mkdir(parents=True)
        (part / "cache" / "archives" / "partial").mkdir(parents=True)
        _apt(part, *own, "update")
        _apt(part, *own, "download", *packages)
    return list(part.glob("*.deb"))


def _apt(part: Path, *arguments: str) -> None:
    # As root apt would download as a user of its own, who cannot write here.
    _run("apt-get", "-qq", "-oAPT::Sandbox::User=root", "-oAcquire::Retries=3", *arguments, cwd=part)


def _run(*command: str, cwd: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as late:
        raise FleetpulseError(f"{command[0]} has not ended after {_TIMEOUT_S} s: check the network") from late
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise FleetpulseError(f"{command[0]} {command[-1]} has failed: {' '.join(last)}")
