"""The `fleetpulse` command, and what its subcommands share."""
