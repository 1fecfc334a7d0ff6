"""`fleetpulse demo` and `fleetpulse load`: run a simulated fleet and watch it."""
