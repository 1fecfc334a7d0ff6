"""Vector, if it is on PATH, with the checked-in configuration."""

import json
import shutil
from pathlib import Path

from fleetpulse.errors import FleetpulseError
from fleetpulse.stack.install.disk import write_private
from fleetpulse.stack.layout import Layout, project_root
from fleetpulse.stack.passwords import password
from fleetpulse.stack.processes.after import after
from fleetpulse.stack.programs import s3, search
from fleetpulse.stack.programs.postgres import DATABASE
from fleetpulse.stack.programs.program import Program

_FOLDER = project_root() / "deploy" / "observability" / "vector"
_OWN = "stack.yaml"
_SECRETS = ("alert_writer", s3.ACCESS_KEY, s3.SECRET_KEY)  # read when it starts, whoever needs them first


def check(_stack: Layout) -> None:
    """Refuse to start without Vector on PATH.

    Raises:
        FleetpulseError: it is not on PATH.
    """
    if shutil.which("vector") is None:
        raise FleetpulseError(
            "--with vector: there is no `vector` on PATH; install Vector as "
            "deploy/observability/vector/README.md says, or do without it: the archive job fills the same tables"
        )


def prepare(stack: Layout) -> None:
    """Write what differs from place to place: where everything is, where the secrets are, and what listens."""
    folder = _run(stack)
    folder.mkdir(exist_ok=True)
    (stack.data / "vector").mkdir(exist_ok=True)
    for name in _SECRETS:
        password(stack, name)
    (folder / "places.json").write_text(json.dumps(places(stack)))
    own = {
        "data_dir": str(stack.data / "vector"),
        "expire_metrics_secs": -1,  # as in compose.yaml
        "secret": {
            "places": {"type": "file", "path": str(folder / "places.json")},
            "secrets": {"type": "directory", "path": str(stack.secrets), "remove_trailing_whitespace": True},
        },
        "api": {"enabled": True, "address": stack.address("vector")},
        "sources": {"internal": {"type": "internal_metrics"}},
        "sinks": {
            "metrics": {
                "type": "prometheus_exporter",
                "inputs": ["internal"],
                "address": stack.address("vector-metrics"),
            }
        },
    }
    write_private(folder / _OWN, json.dumps(own))  # JSON is YAML


def places(stack: Layout) -> dict[str, str]:
    """Where everything is, by the names of deploy/observability/vector/README.md."""
    found = {
        "kafka": stack.address("kafka"),
        "database": f"{stack.address('postgres')}/{DATABASE}?application_name=vector&sslmode=disable",
    }
    if "search" in stack.optional:
        found["search"] = search.url(stack)
    if s3.runs_here(stack):
        found["s3"] = f"http://{stack.address('s3')}"
    return found


def programs(stack: Layout) -> list[Program]:
    """How to run it."""
    needed = {"vector": True, "search": "search" in stack.optional, "cold": s3.runs_here(stack)}
    files = [*(_FOLDER / f"{name}.yaml" for name, is_needed in needed.items() if is_needed), _run(stack) / _OWN]
    arguments = [word for file in files for word in ("--config", str(file))]
    command = (shutil.which("vector") or "vector", *arguments)
    if "search" in stack.optional:  # else it would make an index that is not as the template says
        command = after(search.template_url(stack), command)
    return [Program("vector", command, "vector", {"PYTHONPATH": str(project_root())}, folder=_FOLDER)]


def answers(stack: Layout) -> dict[str, str]:
    """What answers once it runs."""
    return {"vector": f"http://{stack.address('vector')}/health"}


def _run(stack: Layout) -> Path:
    return stack.run / "vector"
