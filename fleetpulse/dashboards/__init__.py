"""Grafana's dashboards, written in code: `python -m fleetpulse.dashboards` writes dashboards/*.json."""

GRAFANA_VERSION = "13.1.2"
SCHEMA_VERSION = 42  # of dashboards, in that version
