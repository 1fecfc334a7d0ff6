"""The inactivity job: raises an alert when a device has been silent, and ends it when the device is back.

flink run -py jobs/inactivity.py -pyfs build/fleetpulse.zip --kafka.bootstrap.servers localhost:9092
"""

import sys
from typing import Any

import click

from fleetpulse.cli.commandline import run
from jobs.wiring import arguments, deciding

DECISIONS = deciding.Decisions("inactivity", inactivity=True)


@click.command(context_settings=arguments.CONTEXT)
@arguments.of_deciding_job("inactivity", inactivity=True)
def command(**values: Any) -> None:
    """Watch for devices that fall silent.

    Reads --events.topic from its beginning, or from where a savepoint left off.
    """
    deciding.run(DECISIONS, values)


if __name__ == "__main__":
    sys.exit(run(command))
