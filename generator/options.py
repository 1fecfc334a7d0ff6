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
