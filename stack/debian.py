"""Programs from Debian's packages, unpacked beside the Java artifacts: no root, nothing installed in the system."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from fleetpulse.errors import FleetpulseError
from stack.disk import check_free_space
from stack.layout import packages_dir

_NEEDED_BYTES = 300 << 20  # an archive, what is in it, and where there are none, the lists of packages
_TIMEOUT_S = 300


def find(package: str, *names: str) -> Path:
    """A program: the first of its names that is on PATH, else where it is, or would be, in the unpacked package."""
    on_path = next(filter(None, map(shutil.which, names)), None)
    return Path(on_path) if on_path else packages_dir() / package / "usr" / "bin" / names[-1]


def install(package: str, *names: str) -> None:
    """Bring a program's package where the program is neither on PATH nor unpacked.

    Raises:
        FleetpulseError: it cannot be had; says what to install.
    """
    if find(package, *names).exists():
        return
    _unpack(package)
    if not find(package, *names).exists():
        raise FleetpulseError(f"Debian's package {package} has no {names[-1]}: install it, so that it is on PATH")


def _unpack(package: str) -> None:
    """Bring a package, whole or not at all. apt holds it against Debian's signature."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise FleetpulseError(f"{package} is not on PATH, and there is no apt to bring it: install it")
    folder = packages_dir()
    folder.mkdir(parents=True, exist_ok=True)
    check_free_space(folder, _NEEDED_BYTES)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as part:
        archive = _download(package, Path(part))
        content = Path(part) / "content"
        _run("dpkg-deb", "-x", str(archive), str(content), cwd=Path(part))
        try:
            content.rename(folder / package)
        except OSError:
            if not (folder / package).exists():  # else somebody else was faster
                raise


def _download(package: str, part: Path) -> Path:
    try:
        _apt(part, "download", package)
    except FleetpulseError:  # the system has no lists of packages, or old ones: lists of our own, which need no root
        own = [f"-oDir::State::lists={part / 'lists'}", f"-oDir::Cache={part / 'cache'}"]
        (part / "lists" / "partial").mkdir(parents=True)
        (part / "cache" / "archives" / "partial").mkdir(parents=True)
        _apt(part, "update", *own)
        _apt(part, "download", package, *own)
    [archive] = part.glob("*.deb")
    return archive


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
        raise FleetpulseError(f"{' '.join(command)} has failed: {' '.join(last)}")
