"""The Java artifacts: pinned by checksum, downloaded once, complete or not at all."""

import hashlib
import shutil
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import click
import requests
import truststore
from jgo.maven import Artifact as RemoteArtifact
from jgo.maven import MavenContext, PythonResolver
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from fleetpulse.cli.commandline import run
from fleetpulse.errors import FleetpulseError
from fleetpulse.stack.install.disk import check_free_space
from fleetpulse.stack.layout import OPTIONAL, artifacts_dir

_TIMEOUT_S = 30
_ATTEMPTS = 4

Update = Callable[[int], None]


@dataclass(frozen=True)
class Artifact:
    """A jar or an archive: which program needs it, its coordinate, its size in bytes and its SHA-256.

    The coordinate is `group:artifact:version`, of an archive followed by `:classifier:packaging`.
    """

    group: str
    coordinate: str
    size: int
    sha256: str

    @property
    def filename(self) -> str:
        """The name it has in the repository."""
        _, artifact, version, *archive = self.coordinate.split(":")
        classifier, packaging = archive or ("", "jar")
        return f"{artifact}-{version}{classifier and '-'}{classifier}.{packaging}"

    @property
    def folder(self) -> str:
        """The name of the folder that an archive is unpacked into."""
        _, artifact, version, *_ = self.coordinate.split(":")
        return f"{artifact}-{version}"


def locked() -> list[Artifact]:
    """All artifacts of the lock file."""
    lines = files("fleetpulse.stack.install").joinpath("artifacts.lock").read_text().splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return [Artifact(group, coordinate, int(size), sha256) for group, coordinate, size, sha256 in rows]


def remote(repository: MavenContext, coordinate: str) -> RemoteArtifact:
    """The artifact of a coordinate in a repository."""
    group, artifact, version, *archive = coordinate.split(":")
    classifier, packaging = archive or ("", "jar")
    return repository.project(group, artifact).at_version(version).artifact(classifier, packaging)


def jars(group: str) -> list[Path]:
    """The downloaded jars of a program.

    Raises:
        FleetpulseError: one is not there.
    """
    found = [artifacts_dir() / artifact.filename for artifact in locked() if artifact.group == group]
    missing = [jar.name for jar in found if not jar.exists()]
    if missing:
        raise FleetpulseError(f"{len(missing)} Java artifacts are missing (first: {missing[0]}): run `make -B setup`")
    return found


def download(folder: Path, wanted: list[Artifact]) -> int:
    """Download missing artifacts into `folder`, showing progress; a file is complete or not there.

    Returns:
        How many files were downloaded.

    Raises:
        FleetpulseError: no space, no network, or a wrong checksum.
    """
    folder.mkdir(parents=True, exist_ok=True)
    by_name = {artifact.filename: artifact for artifact in wanted}  # two programs may need the same one
    missing = [artifact for artifact in by_name.values() if not (folder / artifact.filename).exists()]
    if not missing:
        return 0
    size = sum(artifact.size for artifact in missing)
    check_free_space(folder, size)
    with (
        _progress(f"{len(missing)} Java artifacts", size) as update,
        tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as part,
    ):
        for artifact in missing:
            _fetch(artifact, Path(part), update).replace(folder / artifact.filename)
    return len(missing)


def unpack(folder: Path, archive: Artifact) -> Path:
    """Download a missing archive into `folder`, showing progress, and unpack it completely or not at all.

    Returns:
        The folder of its content.

    Raises:
        FleetpulseError: no space, no network, or a wrong checksum.
    """
    target = folder / archive.folder
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    check_free_space(folder, 3 * archive.size)  # the archive and, for a while, what was in it
    with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as part:
        with _progress(archive.folder, archive.size) as update:
            file = _fetch(archive, Path(part), update)
        content = Path(part) / "content"
        _extract(file, content)
        try:
            content.rename(target)
        except OSError:
            if not target.exists():  # else another process was faster
                raise
    return target


def _extract(archive: Path, folder: Path) -> None:
    if zipfile.is_zipfile(archive):
        shutil.unpack_archive(archive, folder, "zip")
    else:
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")


def _fetch(artifact: Artifact, part: Path, update: Update) -> Path:
    truststore.inject_into_ssl()  # trust what the system trusts: many networks have certificates of their own

    @contextmanager
    def show(_name: str, _size: int) -> Iterator[Update]:
        yield update

    repository = MavenContext(PythonResolver(progress_callback=show), repo_cache=part, timeout=_TIMEOUT_S)
    wanted = remote(repository, artifact.coordinate)
    attempts = Retrying(
        retry=retry_if_exception_type(requests.RequestException),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_exponential(),
        reraise=True,
    )
    try:
        file = attempts(lambda: _download_again(wanted))
    except (requests.RequestException, RuntimeError, OSError) as failed:
        why = type(failed).__name__ if isinstance(failed, requests.RequestException) else str(failed)
        raise FleetpulseError(
            f"{artifact.coordinate} cannot be downloaded ({why}): check the network, then try again"
        ) from failed
    check(file, artifact)
    return file


def _download_again(wanted: RemoteArtifact) -> Path:
    assert wanted.cached_path is not None
    wanted.cached_path.unlink(missing_ok=True)  # jgo would take the rest of a failed attempt for the complete file
    return Path(wanted.resolve())


def check(file: Path, artifact: Artifact) -> None:
    """Refuse a file with another checksum than the locked one.

    Raises:
        FleetpulseError: its SHA-256 is another one.
    """
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != artifact.sha256:
        raise FleetpulseError(
            f"{artifact.filename} has the wrong checksum: expected {artifact.sha256}, found {found} "
            f"({file.stat().st_size} of {artifact.size} bytes); nothing was installed, try again"
        )


@contextmanager
def _progress(what: str, size: int) -> Iterator[Update]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns) as progress:
        task = progress.add_task(what, total=size)
        yield lambda size: progress.advance(task, size)


@click.command()
@click.argument("groups", nargs=-1, type=click.Choice(sorted({artifact.group for artifact in locked()})))
def command(groups: tuple[str, ...]) -> None:
    """Download the artifacts of GROUPS that are not there yet; by default all, but for those of what is optional."""
    wanted = [a for a in locked() if (a.group in groups if groups else a.group.partition("-")[0] not in OPTIONAL)]
    download(artifacts_dir(), wanted)


if __name__ == "__main__":
    sys.exit(run(command))
