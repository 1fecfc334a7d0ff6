"""Prometheus' own tool on what is checked in."""

import subprocess
from pathlib import Path

import pytest

from fleetpulse.stack.programs import prometheus

pytestmark = pytest.mark.e2e

FOLDER = Path("deploy/observability/prometheus")


def promtool(*arguments: str | Path) -> str:
    """What it says; it must be content."""
    done = subprocess.run([prometheus.promtool(), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_configuration_and_the_rules_are_valid() -> None:
    said = promtool("check", "config", FOLDER / "prometheus.yaml")
    assert said.count("SUCCESS") == 2 + len(list((FOLDER / "rules").iterdir()))
    assert "WARNING" not in said


def test_alerts_fire_when_they_should_and_only_then() -> None:
    files = sorted((FOLDER / "tests").iterdir())
    assert promtool("test", "rules", *files).count("SUCCESS") == len(files)
