"""The aggregate job: sums up each metric of each device in tumbling windows.

flink run -py jobs/aggregate.py -pyfs build/fleetpulse.zip --kafka.bootstrap.servers localhost:9092
"""

import sys
from typing import Any

import click

from fleetpulse.cli.commandline import run
from jobs.wiring import arguments, deciding

DECISIONS = deciding.Decisions("aggregate", windows=True)


@click.command(context_settings=arguments.CONTEXT)
@arguments.of_deciding_job("aggregate", windows=True)
def command(**values: Any) -> None:
    """Sum up readings in tumbling windows.

    Reads --events.topic from its beginning, or from where a savepoint left off.
    """
    deciding.run(DECISIONS, values)


if __name__ == "__main__":
    sys.exit(run(command))
