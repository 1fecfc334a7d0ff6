"""Dashboards hold only what Grafana's own types know. Grafana drops what it does not know, and says nothing."""

import json
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from fleetpulse.dashboards import SCHEMA_VERSION
from tests.dashboards import UIDS, dashboard

register_default_plugins()


def lost(given: Any, kept: Any, path: str = "") -> list[str]:
    """What is in `given` and not in `kept`."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [way for key in given for way in lost(given[key], kept.get(key, "nothing"), f"{path}.{key}")]
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        return [
            way
            for n, (one, other) in enumerate(zip(given, kept, strict=True))
            for way in lost(one, other, f"{path}.{n}")
        ]
    return [] if given == kept else [path]


def through_grafana_s_types(given: dict[str, Any]) -> Any:
    return json.loads(JSONEncoder().encode(Dashboard.from_json(given)))


@pytest.mark.parametrize("uid", UIDS)
def test_grafana_s_types_know_everything_that_a_dashboard_says(uid: str) -> None:
    assert lost(dashboard(uid), through_grafana_s_types(dashboard(uid))) == []


@pytest.mark.parametrize("kind", ["stat", "timeseries", "table", "bargauge", "heatmap", "geomap", "text"])
def test_grafana_s_types_do_not_know_an_option_that_is_misspelt(kind: str) -> None:
    given = next(
        changed
        for uid in UIDS
        for changed in [dashboard(uid)]
        if kind in {panel["type"] for panel in changed["panels"]}
    )
    panel = next(panel for panel in given["panels"] if panel["type"] == kind)
    panel["options"]["misspelt"] = True
    assert [way.rpartition(".")[2] for way in lost(given, through_grafana_s_types(given))] == ["misspelt"]


def test_the_schema_is_the_one_of_these_types() -> None:
    assert Dashboard().schema_version == SCHEMA_VERSION
