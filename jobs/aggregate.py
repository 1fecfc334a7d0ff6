"""The aggregate job: sums up each metric of each device in tumbling windows.

flink run -py jobs/aggregate.py -pyfs build/fleetpulse.zip --kafka.bootstrap.servers localhost:9092
"""

import sys

from fleetpulse.cli.commandline import run
from jobs.wiring import deciding

DECISIONS = deciding.Decisions("aggregate", windows=True)
command = deciding.command(DECISIONS, "Sum up readings in tumbling windows.")

if __name__ == "__main__":
    sys.exit(run(command))
