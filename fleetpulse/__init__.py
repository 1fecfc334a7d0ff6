"""Fleetpulse: every decision in pure Python, and the adapters around it."""
