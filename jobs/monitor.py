"""The monitor job: silence, anomalies and windows in one, so that a record is fetched and decoded once.

flink run -py jobs/monitor.py -pyfs build/fleetpulse.zip --kafka.bootstrap.servers localhost:9092
"""

import sys
from typing import Any

import click

from fleetpulse.cli.commandline import run
from jobs.wiring import arguments, deciding

DECISIONS = deciding.Decisions("monitor", inactivity=True, anomalies=True, windows=True)


@click.command(context_settings=arguments.CONTEXT)
@arguments.of_deciding_job("monitor", inactivity=True, anomalies=True, windows=True)
def command(**values: Any) -> None:
    """Watch for silence and anomalies, and sum up readings, all in one job.

    Reads --events.topic from its beginning, or from where a savepoint left off.
    """
    deciding.run(DECISIONS, values)


if __name__ == "__main__":
    sys.exit(run(command))
