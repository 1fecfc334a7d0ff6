"""The inactivity job: raises an alert when a device has been silent, and ends it when the device is back.

flink run -py jobs/inactivity.py -pyfs build/fleetpulse.zip --kafka.bootstrap.servers localhost:9092
"""

import sys

from fleetpulse.cli.commandline import run
from jobs.wiring import deciding

DECISIONS = deciding.Decisions("inactivity", inactivity=True)
command = deciding.command(DECISIONS, "Watch for devices that fall silent.")

if __name__ == "__main__":
    sys.exit(run(command))
