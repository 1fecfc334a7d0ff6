"""Ends with 0 while a job runs: `python -m fleetpulse.stack.keeper.health HOST:PORT NAME`."""

import sys

from fleetpulse.errors import FleetpulseError
from fleetpulse.stack import rest


def is_well(address: str, name: str) -> bool:
    """Whether Flink answers and has a job of this name that has not ended."""
    try:
        return bool(rest.running_jobs(address, name))
    except FleetpulseError:
        return False


if __name__ == "__main__":
    sys.exit(not is_well(*sys.argv[1:]))
