"""What panels ask, and whom."""

from typing import Any

from fleetpulse.dashboards.render import ALL, SQL

Json = dict[str, Any]

TIMESCALEDB: Json = {"type": "grafana-postgresql-datasource", "uid": "timescaledb"}
PROMETHEUS: Json = {"type": "prometheus", "uid": "prometheus"}


def rows(name: str) -> Json:
    """The rows of a statement below sql/, as they are."""
    return _statement(name, "table")


def series(name: str) -> Json:
    """A statement's rows as time series: `time`, then numbers; `metric` names a series."""
    return _statement(name, "time_series")


def prom(expression: str, legend: str = "") -> Json:
    """A PromQL expression over the time range; `legend` names a series by its labels."""
    return {
        "datasource": PROMETHEUS,
        "editorMode": "code",
        "expr": expression,
        "legendFormat": legend or "__auto",
        "range": True,
    }


def prom_now(expression: str, legend: str = "") -> Json:
    """A PromQL expression at the end of the time range."""
    return prom(expression, legend) | {"range": False, "instant": True}


def sql(name: str) -> str:
    """The statement sql/<name>.sql."""
    return (SQL / f"{name}.sql").read_text().strip()


def several(name: str, label: str, statement: str) -> Json:
    """A variable of any number of values; `All` of them to begin with, which asks for no list of them."""
    everything = {"multi": True, "includeAll": True, "allValue": ALL, "current": {"text": ["All"], "value": ["$__all"]}}
    return _variable(name, label, statement) | everything


def one(name: str, label: str, statement: str) -> Json:
    """A variable of one value."""
    return _variable(name, label, statement) | {"multi": False, "includeAll": False, "current": {}}


def typed(name: str, label: str) -> Json:
    """A variable of one value that is what was typed, or what a link says: it has no list to be missing from."""
    nothing = {"text": "", "value": ""}
    return {"type": "textbox", "name": name, "label": label, "query": "", "current": nothing, "hide": 0}


def annotation(name: str, statement: str, color: str) -> Json:
    """The times that a statement returns, marked in every time series of a dashboard."""
    return {
        "name": name,
        "datasource": TIMESCALEDB,
        "enable": True,
        "iconColor": color,
        "target": _statement(statement, "table") | {"refId": "Anno"},
    }


def _statement(name: str, shape: str) -> Json:
    return {
        "datasource": TIMESCALEDB,
        "editorMode": "code",
        "format": shape,
        "rawQuery": True,
        "rawSql": sql(name),
    }


def _variable(name: str, label: str, statement: str) -> Json:
    text = sql(statement)
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": TIMESCALEDB,
        "query": text,
        "definition": text,
        # When the dashboard is loaded, and no more: in place of a chosen value that is not in a list it reads anew,
        # Grafana takes the first one there. With 2 it reads at every change of the time range, and each refresh is one.
        "refresh": 1,
        "sort": 0,
        "regex": "",
        "hide": 0,
        "options": [],
        "allowCustomValue": True,
    }
