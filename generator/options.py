"""Options of the simulator's commands: what they share, and where their values may come from."""

from collections.abc import Callable
from typing import Any

import click

SHARE = click.FloatRange(0, 1)
COUNT = click.IntRange(0)


def option(flag: str, *, aliases: tuple[str, ...] = (), **settings: Any) -> Callable[[Any], Any]:
    """Return an option that may also come from its aliases or from FLEETPULSE_* in the environment."""
    name = flag.lstrip("-").replace(".", "_").replace("-", "_")
    variables = [*aliases, f"FLEETPULSE_{name.upper()}"]
    settings.setdefault("show_default", True)
    return click.option(flag, name, envvar=variables, show_envvar=True, **settings)


def metrics_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say where the metrics are served."""
    host = option(
        "--metrics.host",
        aliases=("METRICS_HOST",),
        default="127.0.0.1",
        help="Interface of the metrics; 0.0.0.0 for all.",
    )
    port = option(
        "--metrics.port",
        aliases=("METRICS_PORT",),
        type=click.IntRange(0, 65535),
        default=0,
        help="Port of the metrics for Prometheus, by custom 2112. 0: none.",
    )
    with_metrics: Callable[..., Any] = host(port(command))
    return with_metrics
