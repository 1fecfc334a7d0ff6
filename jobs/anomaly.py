"""The anomaly job: judges readings by rules, and raises an alert where one is broken.

flink run -py jobs/anomaly.py -pyfs build/fleetpulse.zip --kafka.bootstrap.servers localhost:9092
"""

import sys

from fleetpulse.cli.commandline import run
from jobs.wiring import deciding

DECISIONS = deciding.Decisions("anomaly", anomalies=True)
command = deciding.command(DECISIONS, "Judge readings by rules.")

if __name__ == "__main__":
    sys.exit(run(command))
