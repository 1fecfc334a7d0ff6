"""Grafana, where it is found on PATH, with the checked-in dashboards, data sources and alert rules."""

import os
import shutil
from pathlib import Path

from fleetpulse.errors import FleetpulseError
from fleetpulse.stack.layout import HOST, Layout, project_root
from fleetpulse.stack.passwords import password
from fleetpulse.stack.programs import prometheus
from fleetpulse.stack.programs.program import Program

ADMIN = "grafana_admin"  # the file of its password

_FOLDER = project_root() / "deploy" / "observability" / "grafana"
_WEBHOOK = "FLEETPULSE_ALERT_WEBHOOK"
_NOBODY_LISTENS = "http://localhost:9/"


def check(_stack: Layout) -> None:
    """Refuse to start without Grafana on PATH.

    Raises:
        FleetpulseError: it is not on PATH.
    """
    if shutil.which("grafana") is None:
        raise FleetpulseError(
            "--with grafana: there is no `grafana` on PATH; install Grafana as "
            "deploy/observability/grafana/README.md says"
        )


def prepare(stack: Layout) -> None:
    """Make the password of its user `admin`, and its folders."""
    password(stack, ADMIN)
    (stack.data / "grafana").mkdir(exist_ok=True)


def programs(stack: Layout) -> list[Program]:
    """How to run it."""
    binary = Path(shutil.which("grafana") or "grafana").resolve()
    command = (str(binary), "server", "--homepath", str(_home(binary)))
    return [Program("grafana", command, "grafana", environment(stack))]


def environment(stack: Layout) -> dict[str, str]:
    """Its settings, and what the files in deploy/observability/grafana leave open."""
    return {
        "GF_PATHS_DATA": str(stack.data / "grafana"),
        "GF_PATHS_LOGS": str(stack.logs / "grafana"),
        "GF_PATHS_PLUGINS": str(stack.data / "grafana" / "plugins"),
        "GF_PATHS_PROVISIONING": str(_FOLDER / "provisioning"),
        "GF_SERVER_HTTP_ADDR": HOST,
        "GF_SERVER_HTTP_PORT": str(stack.ports["grafana"]),
        "GF_SECURITY_ADMIN_PASSWORD": f"$__file{{{stack.secrets / ADMIN}}}",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "GF_PLUGINS_PREINSTALL_DISABLED": "true",
        "GF_LOG_MODE": "console",
        "FLEETPULSE_DB_HOST": stack.address("postgres"),
        "FLEETPULSE_DB_PASSWORD": f"$__file{{{stack.secrets / 'monitor_user'}}}",
        "FLEETPULSE_PROMETHEUS_URL": prometheus.url(stack),
        "FLEETPULSE_DASHBOARDS": str(_FOLDER / "dashboards"),
        _WEBHOOK: os.environ.get(_WEBHOOK, _NOBODY_LISTENS),
    }


def answers(stack: Layout) -> dict[str, str]:
    """What answers once it runs."""
    return {"grafana": f"http://{stack.address('grafana')}/api/health"}


def _home(binary: Path) -> Path:
    """Its folder of what belongs to it: around the program, or where Debian's package has it."""
    around = binary.parent.parent
    return around if (around / "conf" / "defaults.ini").exists() else Path("/usr/share/grafana")
