"""Free space on disk, and private files."""

import shutil
from pathlib import Path

from fleetpulse.errors import FleetpulseError

_RESERVE_BYTES = 1 << 30


def check_free_space(folder: Path, needed: int = 0) -> None:
    """Refuse to begin if the disk has too little space.

    Args:
        folder: an existing folder on the disk in question.
        needed: how much will be written, in bytes; 1 GiB must be left beyond it.

    Raises:
        FleetpulseError: there is less.
    """
    free = shutil.disk_usage(folder).free
    if free < needed + _RESERVE_BYTES:
        raise FleetpulseError(
            f"the disk of {folder} is full: {free >> 20} MiB free, {(needed + _RESERVE_BYTES) >> 20} MiB needed; "
            "free some space and try again"
        )


def write_private(file: Path, text: str) -> None:
    """Write a file that its owner alone can read."""
    file.touch(mode=0o600)
    file.write_text(text)
