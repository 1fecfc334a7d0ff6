"""Dashboards: panels in rows, with what all dashboards have in common."""

from collections.abc import Iterable, Sequence

from fleetpulse.dashboards import SCHEMA_VERSION
from fleetpulse.dashboards.queries import Json

TAG = "fleetpulse"
_WIDTH = 24


def dashboard(
    uid: str,
    title: str,
    description: str,
    *,
    since: str,
    refresh: str,
    rows: Iterable[Json],
    variables: Sequence[Json] = (),
    links: Sequence[Json] = (),
    annotations: Sequence[Json] = (),
) -> Json:
    """A dashboard as Grafana takes it from a file."""
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": [TAG],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,  # the same time in all panels
        "timezone": "utc",  # as in the alerts' own words
        "time": {"from": since, "to": "now"},
        "refresh": refresh,
        "templating": {"list": list(variables)},
        "annotations": {"list": list(annotations)},
        "links": [*links, _OTHERS],
        "panels": _placed(rows),
    }


def row(title: str, height: int, *panels: tuple[int, Json]) -> Json:
    """Panels beside each other, each with its width of 24, below a title."""
    return {"title": title, "height": height, "panels": panels}


def link_to(title: str, url: str) -> Json:
    """A link at the top of a dashboard, for the same time range."""
    return _LINK | {"type": "link", "title": title, "url": url, "tooltip": title}


_LINK = {
    "type": "dashboards",
    "title": "Fleetpulse",
    "url": "",
    "tooltip": "The other dashboards",
    "icon": "external link",
    "keepTime": True,
    "includeVars": False,
    "targetBlank": False,
    "asDropdown": False,
    "tags": [],
}
_OTHERS = _LINK | {"tags": [TAG], "asDropdown": True}


def _placed(rows: Iterable[Json]) -> list[Json]:
    placed: list[Json] = []
    top = 0
    for line in rows:
        title = {"type": "row", "title": line["title"], "collapsed": False, "panels": []}
        placed.append(title | {"id": len(placed) + 1, "gridPos": {"x": 0, "y": top, "w": _WIDTH, "h": 1}})
        top += 1
        left = 0
        for width, panel in line["panels"]:
            position = {"x": left, "y": top, "w": width, "h": line["height"]}
            placed.append(panel | {"id": len(placed) + 1, "gridPos": position})
            left += width
        top += line["height"]
    return placed
