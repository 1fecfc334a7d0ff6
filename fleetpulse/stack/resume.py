"""Where a job goes on that has lost its cluster."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from fleetpulse.errors import ConfigurationError

_METADATA = "_metadata"  # Flink writes it last


def newest_checkpoint(folder: Path, identity: str) -> str | None:
    """The URI of a job's newest complete checkpoint; None where it has made none yet.

    Args:
        folder: what `--checkpoint.dir` names, or the job's own folder in it.
        identity: the job's. Its checkpoints are in a folder of that name, in which each run has one of its own.

    Raises:
        ConfigurationError: there are only checkpoints that may be another job's.
    """
    own = folder if folder.absolute().name == identity else folder / identity
    newest = max(_complete(own), key=lambda metadata: metadata.stat().st_mtime_ns, default=None)
    if newest is not None:
        return newest.parent.absolute().as_uri()
    if others := _of_other_identities(folder, identity):
        raise ConfigurationError(
            f"--resume: {folder} has no checkpoint of {identity}, but of {', '.join(others)}: start from one with "
            "--restore, or leave --resume out to start from the beginning"
        )
    return None


def existing(restore: str) -> str:
    """The URI of a savepoint or checkpoint; one that is not on this machine's disk is returned as it is.

    Raises:
        ConfigurationError: a path or `file:` URI at which there is none.
    """
    url = urlsplit(restore)
    if url.scheme not in ("", "file"):
        return restore
    path = Path(unquote(url.path) if url.scheme else restore).absolute()
    if not path.exists():
        raise ConfigurationError(f"--restore: {path} does not exist: expected a savepoint's or checkpoint's folder")
    if not (path if path.name == _METADATA else path / _METADATA).is_file():
        raise ConfigurationError(f"--restore: {path} is no savepoint or checkpoint: it has no file {_METADATA}")
    return path.as_uri()


def _of_other_identities(folder: Path, identity: str) -> list[str]:
    """Whose checkpoints are there that this job may have made under another identity, or before there were any."""
    job = identity.partition("-")[0]
    others = sorted(other.name for other in folder.glob(f"{job}-*") if any(_complete(other)))
    return [*others, *(["a job without an identity"] if any(_complete(folder)) else [])]


def _complete(folder: Path) -> Iterable[Path]:
    return folder.glob(f"*/chk-*/{_METADATA}")
