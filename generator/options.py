"""The settings that both commands of the simulator have."""

from dataclasses import dataclass

import click

from fleetpulse.cli.parameters import LAST_PORT, Whole
from fleetpulse.cli.settings import setting


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """Where the metrics are served."""

    host: str = setting(
        "metrics.host",
        click.STRING,
        "Interface of the metrics; 0.0.0.0 for all.",
        default="127.0.0.1",
        variables=("METRICS_HOST",),
    )
    port: int = setting(
        "metrics.port",
        Whole(0, LAST_PORT),
        "Port of the metrics for Prometheus, by custom 2112. 0: none.",
        default=0,
        variables=("METRICS_PORT",),
    )
