"""Rule files and the rules topic (`fleetpulse rules`)."""
