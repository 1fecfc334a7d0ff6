"""The search index of readings (`fleetpulse index`)."""
