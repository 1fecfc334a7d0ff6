"""Anomalies: alerts on readings that break a rule."""
