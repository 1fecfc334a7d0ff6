"""Rule sets as files, on their topic, and on the command line: `fleetpulse rules`."""
