"""Where a job goes on that has lost its cluster."""

from pathlib import Path


def newest_checkpoint(folder: Path) -> str | None:
    """The URI of the newest complete checkpoint below a folder, which each run of a job has a folder of its own in."""
    complete = folder.glob("*/chk-*/_metadata")
    newest = max(complete, key=lambda metadata: metadata.stat().st_mtime_ns, default=None)
    return newest.parent.absolute().as_uri() if newest else None
