"""PromQL as Grafana sends it."""

from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
import yaml

_EXPOSED = Path("deploy/observability/prometheus/exposed")
_RULES = Path("deploy/observability/prometheus/rules")
_PARTS = ("expr", "lhs", "rhs", "param", "vector_selector")


@cache
def exposed() -> set[str]:
    """The names of all metrics that the system shows, that Prometheus records of them, and its own."""
    shown = {name for path in _EXPOSED.glob("*.txt") for name in path.read_text().split()}
    return shown | {rule["record"] for rule in _recording() if "record" in rule} | {"up"}


def _recording() -> list[dict[str, Any]]:
    files = [yaml.safe_load(path.read_text()) for path in _RULES.glob("*.yaml")]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def metrics(expression: str) -> set[str]:
    """The metrics that an expression asks for."""
    return set(_names(promql_parser.parse(expression.replace("$__rate_interval", "1m"))))


def _names(node: Any) -> list[str]:
    if isinstance(node, promql_parser.VectorSelector):
        return [node.name]
    parts = [getattr(node, name) for name in _PARTS if getattr(node, name, None) is not None]
    return [name for part in (*parts, *getattr(node, "args", ())) for name in _names(part)]
