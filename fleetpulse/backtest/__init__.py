"""Backtests: rules over recorded history (`fleetpulse backtest` and `explain`)."""
