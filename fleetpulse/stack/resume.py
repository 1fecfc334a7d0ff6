"""Where a job goes on that has lost its cluster."""

from collections.abc import Iterable
from pathlib import Path

from fleetpulse.errors import ConfigurationError


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


def _of_other_identities(folder: Path, identity: str) -> list[str]:
    """Whose checkpoints are there that this job may have made under another identity, or before there were any."""
    job = identity.partition("-")[0]
    others = sorted(other.name for other in folder.glob(f"{job}-*") if any(_complete(other)))
    return [*others, *(["a job without an identity"] if any(_complete(folder)) else [])]


def _complete(folder: Path) -> Iterable[Path]:
    return folder.glob("*/chk-*/_metadata")
