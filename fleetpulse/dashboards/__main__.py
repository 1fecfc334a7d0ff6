"""Writes deploy/observability/grafana/dashboards/*.json anew."""

import json
from collections.abc import Mapping
from pathlib import Path

from fleetpulse.dashboards.pages import (
    device_alerts,
    device_detail,
    end_to_end_latency,
    pipeline_health,
    sensor_overview,
)
from fleetpulse.dashboards.queries import Json

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "observability" / "grafana" / "dashboards"
MODULES = (device_alerts, sensor_overview, end_to_end_latency, pipeline_health, device_detail)


def files() -> Mapping[Path, str]:
    """The text of every dashboard's file."""
    return {FOLDER / f"{built['uid']}.json": _text(built) for built in (module.build() for module in MODULES)}


def _text(dashboard: Json) -> str:
    return json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text)
