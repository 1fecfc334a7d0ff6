"""Grafana's dashboards, written in code: `python -m observability.grafana` writes dashboards/*.json."""
