"""Prometheus, and PostgreSQL's exporter for it: who is scraped, and by which rules it is judged."""

import shutil
from pathlib import Path

from ruamel.yaml import YAML

from fleetpulse.stack.install import debian
from fleetpulse.stack.install.artifacts import download, locked
from fleetpulse.stack.install.debian import Tool
from fleetpulse.stack.layout import HOST, Layout, artifacts_dir, project_root
from fleetpulse.stack.passwords import password
from fleetpulse.stack.programs.postgres import DATABASE
from fleetpulse.stack.programs.program import Program

_PROMETHEUS = Tool("prometheus", "prometheus")
_PROMTOOL = Tool("prometheus", "promtool")
_EXPORTER = Tool("prometheus-postgres-exporter", "prometheus-postgres-exporter", "postgres_exporter")
_READER = "monitor_user"
# Of two weeks or of a gigabyte, whichever is less.
_RETENTION = ("--storage.tsdb.retention.time=15d", "--storage.tsdb.retention.size=1GB")
# Whom of the stack each job of deploy/observability/prometheus/prometheus.yaml scrapes.
_TARGETS = {
    "flink": ("jobmanager-metrics", "taskmanager-metrics"),
    "kafka": ("kafka-metrics",),
    "database": ("postgres-metrics",),
    "prometheus": ("prometheus",),
}
SIMULATOR_PORT = 2112  # no program of the stack, but one that is run beside it


def install() -> None:
    """Bring what is not there: Kafka's agent, Prometheus and PostgreSQL's exporter.

    Raises:
        FleetpulseError: one cannot be had; says what to install.
    """
    download(artifacts_dir(), [artifact for artifact in locked() if artifact.group == "prometheus"])
    debian.install(_PROMETHEUS, _EXPORTER)


def promtool() -> Path:
    """Prometheus' own tool, which checks and tests rules.

    Raises:
        FleetpulseError: it cannot be had; says what to install.
    """
    debian.install(_PROMTOOL)
    return debian.find(_PROMTOOL)


def programs(stack: Layout) -> list[Program]:
    """How to run Prometheus and PostgreSQL's exporter."""
    return [
        Program("postgres-exporter", _exporter(stack), "postgres-metrics", _exporter_environment(stack)),
        Program("prometheus", _prometheus(stack), "prometheus"),
    ]


def answers(stack: Layout) -> dict[str, str]:
    """What answers once each program is ready."""
    exporter = f"http://{stack.address('postgres-metrics')}/metrics"
    return {"postgres-exporter": exporter, "prometheus": f"{url(stack)}/-/ready"}


def url(stack: Layout) -> str:
    """Where Prometheus is reached."""
    return f"http://{stack.address('prometheus')}"


def prepare(stack: Layout) -> None:
    """Write the configuration: the checked-in files, and this stack's own targets."""
    password(stack, _READER)  # the exporter may be there before the database, and wants its file
    checked_in, folder = project_root() / "deploy" / "observability" / "prometheus", _folder(stack)
    shutil.copytree(checked_in / "rules", folder / "rules")
    shutil.copy(checked_in / "prometheus.yaml", folder)
    (folder / "targets").mkdir()
    for job, addresses in targets(stack).items():
        with (folder / "targets" / f"{job}.yaml").open("w") as file:
            YAML().dump([{"targets": addresses}], file)


def targets(stack: Layout) -> dict[str, list[str]]:
    """The addresses of each job."""
    of_the_stack = {job: [stack.address(name) for name in names] for job, names in _TARGETS.items()}
    if "vector" in stack.optional:
        of_the_stack["vector"] = [stack.address("vector-metrics")]
    return of_the_stack | {"simulator": [f"{HOST}:{SIMULATOR_PORT + stack.port_offset}"]}


def _prometheus(stack: Layout) -> tuple[str, ...]:
    return (
        str(debian.find(_PROMETHEUS)),
        f"--config.file={_folder(stack) / 'prometheus.yaml'}",
        f"--web.listen-address={stack.address('prometheus')}",
        f"--storage.tsdb.path={stack.data / 'prometheus'}",
        *_RETENTION,
    )


def _exporter(stack: Layout) -> tuple[str, ...]:
    return (str(debian.find(_EXPORTER)), f"--web.listen-address={stack.address('postgres-metrics')}")


def _exporter_environment(stack: Layout) -> dict[str, str]:
    return {
        "DATA_SOURCE_URI": f"{stack.address('postgres')}/{DATABASE}?sslmode=disable",
        "DATA_SOURCE_USER": _READER,
        "DATA_SOURCE_PASS_FILE": str(stack.secrets / _READER),
    }


def _folder(stack: Layout) -> Path:
    return stack.run / "prometheus"
