"""The anomaly job: judges readings by rules, and raises an alert where one is broken.

flink run -py jobs/anomaly.py -pyfs build/fleetpulse.zip --kafka.bootstrap.servers localhost:9092
"""

import sys
from typing import Any

import click

from fleetpulse.cli.commandline import run
from jobs.wiring import arguments, deciding

DECISIONS = deciding.Decisions("anomaly", anomalies=True)


@click.command(context_settings=arguments.CONTEXT)
@arguments.of_deciding_job("anomaly", anomalies=True)
def command(**values: Any) -> None:
    """Judge readings by rules.

    Reads --events.topic from its beginning, or from where a savepoint left off.
    """
    deciding.run(DECISIONS, values)


if __name__ == "__main__":
    sys.exit(run(command))
