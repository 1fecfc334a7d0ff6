"""Grafana's dashboards as they are checked in, and what their queries ask."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path("deploy/observability/grafana/dashboards")
UIDS = sorted(path.stem for path in FOLDER.glob("*.json"))


class Statement(NamedTuple):
    """A panel's or a variable's SQL."""

    dashboard: str
    name: str
    kind: str  # of the panel, or `variable`
    shape: str  # `time_series` or `table`
    sql: str
    panel: dict[str, Any]


def dashboard(uid: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / f"{uid}.json").read_text()))


def panels(uid: str) -> list[dict[str, Any]]:
    """All panels but for the titles of rows."""
    return [panel for panel in dashboard(uid)["panels"] if panel["type"] != "row"]


def variables(uid: str) -> list[dict[str, Any]]:
    return list(dashboard(uid)["templating"]["list"])


def query_variables(uid: str) -> list[dict[str, Any]]:
    """Those that have a list to choose from."""
    return [variable for variable in variables(uid) if variable["type"] == "query"]


def statements(uid: str) -> Iterator[Statement]:
    """All SQL of a dashboard: panels, variables, annotations."""
    for panel in panels(uid):
        for target in panel["targets"]:
            if "rawSql" in target:
                yield Statement(uid, panel["title"], panel["type"], target["format"], target["rawSql"], panel)
    for variable in query_variables(uid):
        yield Statement(uid, variable["name"], "variable", "table", variable["query"], {})
    for annotation in dashboard(uid)["annotations"]["list"]:
        yield Statement(uid, annotation["name"], "annotation", "table", annotation["target"]["rawSql"], {})


def expressions() -> list[str]:
    """All PromQL of all panels, over the shortest interval that Grafana takes for what is scraped every 15 s."""
    targets = (target for uid in UIDS for panel in panels(uid) for target in panel["targets"])
    return [target["expr"].replace("$__rate_interval", "1m") for target in targets if "expr" in target]
