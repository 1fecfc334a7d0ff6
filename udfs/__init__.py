"""Thin adapters between Flink's rows, state, timers and metrics and the domain."""
