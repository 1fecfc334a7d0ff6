"""Fleetpulse's domain: every decision, in pure Python, with no engine, broker or database imported."""
