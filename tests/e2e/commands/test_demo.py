"""`fleetpulse demo`, as CI runs it."""

import subprocess
import sys
from pathlib import Path

import pytest

from fleetpulse.stack.layout import Layout
from fleetpulse.stack.processes import supervision
from tests.e2e.support.embedded import free_offset

pytestmark = pytest.mark.e2e


def test_the_demo_shows_alerts_ends_by_itself_and_leaves_nothing(tmp_path: Path) -> None:
    stack = Layout(tmp_path / "demo", free_offset())
    stack.save()
    fleetpulse = Path(sys.executable).parent / "fleetpulse"
    command = [str(fleetpulse), "demo", "--dir", str(stack.root), "--duration.seconds", "90"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "has been silent for" in done.stdout
    assert "200 devices" in done.stdout.splitlines()[-1]
    assert list(supervision.processes(stack)) == []
