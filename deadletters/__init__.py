"""`fleetpulse dlq`: look at rejected records and put them back."""
