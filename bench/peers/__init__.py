"""The contenders that are not Fleetpulse, each the way its own users would write it."""
