"""The name a job keeps over all its runs: its folder of checkpoints has it, and Flink shows it of a job that runs."""

import hashlib
import re

PARAMETER = "fleetpulse.identity"  # among the parameters that Flink's REST interface shows of a job
_LONGEST = 120  # a file name may have 255 bytes


def identity(job: str, *writes_to: str) -> str:
    """The identity of a job, from what it writes to, which no two running jobs may share; fit to be a folder's name."""
    name = "-".join((job, *writes_to))
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name)
    if safe == name and len(name) <= _LONGEST:
        return name
    return f"{safe[:_LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
