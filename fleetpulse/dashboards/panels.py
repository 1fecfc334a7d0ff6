"""The kinds of panels. Each returns a panel's JSON but for its place, which dashboard.py gives it."""

from collections.abc import Iterable, Sequence
from typing import Any

from fleetpulse.dashboards.queries import Json
from fleetpulse.durations import parse

GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "text"
NO_LIMITS: tuple[tuple[float, str], ...] = ()

_REDUCED = {"values": False, "calcs": ["lastNotNull"], "fields": ""}
_EACH_ROW = {"values": True, "calcs": [], "fields": "", "limit": 50}


def stat(
    title: str,
    description: str,
    *queries: Json,
    unit: str = "short",
    limits: Sequence[tuple[float, str]] = NO_LIMITS,
    base: str = GREEN,
    empty: str = "0",
    mappings: Sequence[Json] = (),
    decimals: int | None = None,
    text: bool = False,
) -> Json:
    """One large figure a series, or a text. `limits` color it from each value on, `base` below them."""
    options: Json = {
        "reduceOptions": _REDUCED | {"fields": "/.*/"} if text else _REDUCED,
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "auto",
        "wideLayout": True,
    }
    config = _config(unit, limits, base, empty, mappings, decimals)
    return _panel("stat", title, description, queries, config, options)


def timeseries(
    title: str,
    description: str,
    *queries: Json,
    unit: str = "short",
    limits: Sequence[tuple[float, str]] = NO_LIMITS,
    empty: str = "No data in this time range",
    bars: bool = False,
    points: int | None = None,
    interval: str | None = None,
    overrides: Sequence[Json] = (),
    least: float | None = 0,
    silence: str | None = None,
) -> Json:
    """Lines, or stacked bars. `limits` are drawn as dashed lines; the axis reaches down to `least` at least.

    A line ends where nothing was for `silence` or longer, if the query fills what is missing with NULL: where there is
    no row, Grafana draws on.
    """
    custom: Json = {
        **({"axisSoftMin": least} if least is not None else {}),
        "drawStyle": "bars" if bars else "line",
        "fillOpacity": 80 if bars else 10,
        "lineWidth": 1,
        "showPoints": "auto",
        "spanNulls": parse(silence) if silence else False,
        "stacking": {"mode": "normal" if bars else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if limits else "off"},
    }
    config = _config(unit, limits, GREEN, empty)
    config["defaults"] |= {"custom": custom, "color": {"mode": "palette-classic"}}
    config["overrides"] = list(overrides)
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    panel = _panel("timeseries", title, description, queries, config, options)
    return panel | ({"maxDataPoints": points} if points else {}) | ({"interval": interval} if interval else {})


def table(
    title: str,
    description: str,
    query: Json,
    *,
    columns: Iterable[Json] = (),
    empty: str = "Nothing in this time range",
) -> Json:
    """Rows. `columns` say how single ones are shown."""
    config = _config("none", NO_LIMITS, GREEN, empty)
    config["defaults"]["custom"] = {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True}
    config["overrides"] = list(columns)
    return _panel("table", title, description, [query], config, {"showHeader": True, "cellHeight": "sm"})


def bars(title: str, description: str, query: Json, *, empty: str) -> Json:
    """A bar for each row: its text names it, its number is its length."""
    config = _config("short", NO_LIMITS, BLUE, empty)
    config["defaults"]["min"] = 0
    options = {
        "reduceOptions": _EACH_ROW,
        "orientation": "horizontal",
        "displayMode": "basic",
        "valueMode": "color",
        "namePlacement": "auto",
        "showUnfilled": True,
        "sizing": "auto",
    }
    return _panel("bargauge", title, description, [query], config, options)


def heatmap(title: str, description: str, query: Json, *, unit: str, period: str, axis: str) -> Json:
    """A cell for each time and series, colored by its number; always the last `period` where the range is relative."""
    options = {
        "calculate": False,
        "cellGap": 1,
        "color": {"mode": "scheme", "scheme": "Oranges", "scale": "exponential", "exponent": 0.5, "steps": 64},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "unknown", "value": unit},
        "tooltip": {"mode": "single", "yHistogram": False, "showColorScale": True},
        "yAxis": {"axisPlacement": "left", "axisLabel": axis, "reverse": False},
        "cellValues": {"unit": "short", "decimals": 0},
        "showValue": "never",
    }
    config = _config("short", NO_LIMITS, GREEN, "No data in this time range")
    return _panel("heatmap", title, description, [query], config, options) | {"timeFrom": period}


def geomap(title: str, description: str, query: Json, *, empty: str) -> Json:
    """Points by columns `lat` and `lon`."""
    layer = {
        "type": "markers",
        "name": "positions",
        "config": {"showLegend": False, "style": {"size": {"fixed": 6}, "color": {"fixed": BLUE}, "opacity": 0.7}},
        "location": {"mode": "coords", "latitude": "lat", "longitude": "lon"},
        "tooltip": True,
    }
    options = {
        "view": {"id": "fit", "allLayers": True, "lat": 0, "lon": 0, "zoom": 15, "padding": 10},
        "basemap": {"type": "default", "name": "map", "config": {}},
        "layers": [layer],
        "controls": {"showZoom": True, "mouseWheelZoom": False, "showAttribution": True, "showScale": True},
        "tooltip": {"mode": "details"},
    }
    return _panel("geomap", title, description, [query], _config("degree", NO_LIMITS, BLUE, empty), options)


def text(title: str, description: str, markdown: str) -> Json:
    """Words."""
    panel = _panel("text", title, description, [], {"defaults": {}, "overrides": []}, {"mode": "markdown"})
    panel["options"]["content"] = markdown
    return panel


def column(name: str, title: str | None = None, unit: str | None = None, **properties: Any) -> Json:
    """How the column `name` is shown: its title, its unit, and other properties of the field by their JSON names."""
    named = {"displayName": title, "unit": unit, **{key.replace("__", "."): value for key, value in properties.items()}}
    shown = [{"id": key, "value": value} for key, value in named.items() if value is not None]
    return {"matcher": {"id": "byName", "options": name}, "properties": shown}


def link(title: str, dashboard: str, variable: str, value: str) -> Json:
    """A link to another dashboard for the same time range, with one of its variables set."""
    where = f"/d/{dashboard}?${{__url_time_range}}&var-{variable}=${{{value}:percentencode}}"
    return {"title": title, "url": where, "targetBlank": False}


def mapped(colors: Iterable[tuple[str, str]]) -> Json:
    """Values that have a color of their own."""
    return {
        "type": "value",
        "options": {value: {"color": color, "index": n} for n, (value, color) in enumerate(colors)},
    }


def _config(
    unit: str,
    limits: Sequence[tuple[float, str]],
    base: str,
    empty: str,
    mappings: Sequence[Json] = (),
    decimals: int | None = None,
) -> Json:
    steps: list[Json] = [{"value": None, "color": base}, *({"value": at, "color": color} for at, color in limits)]
    defaults: Json = {
        "unit": unit,
        "noValue": empty,
        "mappings": list(mappings),
        "thresholds": {"mode": "absolute", "steps": steps},
        "color": {"mode": "thresholds"},
    }
    if decimals is not None:
        defaults["decimals"] = decimals
    return {"defaults": defaults, "overrides": []}


def _panel(kind: str, title: str, description: str, queries: Iterable[Json], config: Json, options: Json) -> Json:
    targets = [query | {"refId": letter} for letter, query in zip("ABCDEFGH", queries, strict=False)]
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": targets[0]["datasource"] if targets else {"type": "datasource", "uid": "-- Grafana --"},
        "targets": targets,
        "fieldConfig": config,
        "options": options,
    }
