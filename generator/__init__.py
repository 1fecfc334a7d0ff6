"""The fleet simulator: scenarios in, records and the alerts that must result out."""
