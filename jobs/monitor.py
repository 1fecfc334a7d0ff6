"""The monitor job: silence, anomalies and windows in one, so that a record is fetched and decoded once.

flink run -py jobs/monitor.py -pyfs build/fleetpulse.zip --kafka.bootstrap.servers localhost:9092
"""

import sys

from fleetpulse.cli.commandline import run
from jobs.wiring import deciding

DECISIONS = deciding.Decisions("monitor", inactivity=True, anomalies=True, windows=True)
command = deciding.command(DECISIONS, "Watch for silence and anomalies, and sum up readings, all in one job.")

if __name__ == "__main__":
    sys.exit(run(command))
