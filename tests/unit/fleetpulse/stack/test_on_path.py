"""Programs that a stack has where they are found on PATH: Vector, Grafana, TimescaleDB."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from fleetpulse.errors import FleetpulseError
from fleetpulse.stack import lifecycle
from fleetpulse.stack.layout import Layout, project_root
from fleetpulse.stack.processes import supervision
from fleetpulse.stack.programs import grafana, postgres, prometheus, s3, vector

_ASKED_FOR = ("vector", "grafana", "pg_config")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH, the only one for what is asked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    real = shutil.which

    def which(name: str) -> str | None:
        return real(name, path=str(folder) if name in _ASKED_FOR else None)

    monkeypatch.setattr("shutil.which", which)
    return folder


def installed(path: Path, name: str, text: str = "") -> Path:
    program = path / name
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a stack."""
    for name in ("run", "data"):
        (tmp_path / name).mkdir()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "FLEETPULSE_S3_ENDPOINT", "FLEETPULSE_ALERT_WEBHOOK"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("name", ["vector", "grafana", "timescaledb"])
def test_what_is_not_there_is_told_before_anything_is_started(
    tmp_path: Path, path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "start", lambda *_: pytest.fail("nothing may be started"))
    with pytest.raises(FleetpulseError, match=f"--with {name}: there is no `\\w+` on PATH; install"):
        list(lifecycle.up(Layout(tmp_path / "stack", 1000, frozenset({name}))))
    assert not (tmp_path / "stack" / "run").exists()


def test_vector_alone_carries_what_the_database_takes(path: Path, folder: Path) -> None:
    installed(path, "vector")
    stack = Layout(folder, 1000, frozenset({"vector"}))
    vector.prepare(stack)
    [program] = vector.programs(stack)
    shared, own = project_root() / "deploy" / "observability" / "vector", stack.run / "vector" / "stack.yaml"
    assert program.command == (str(path / "vector"), "--config", str(shared / "vector.yaml"), "--config", str(own))
    assert program.folder == shared  # its programs in VRL are found from there
    assert vector.places(stack) == {
        "kafka": "127.0.0.1:10092",
        "database": "127.0.0.1:6432/monitoring?application_name=vector&sslmode=disable",
    }


def test_vector_listens_on_this_stacks_ports_and_finds_its_secrets(path: Path, folder: Path) -> None:
    installed(path, "vector")
    stack = Layout(folder, 1000, frozenset({"vector"}))
    vector.prepare(stack)
    own = yaml.safe_load((stack.run / "vector" / "stack.yaml").read_text())
    assert own["api"]["address"] == "127.0.0.1:9686"
    assert own["sinks"]["metrics"]["address"] == "127.0.0.1:10598"
    assert own["secret"]["secrets"]["path"] == str(stack.secrets)
    assert (stack.secrets / "alert_writer").exists()
    assert json.loads(Path(own["secret"]["places"]["path"]).read_text()) == vector.places(stack)
    assert Path(own["data_dir"]).is_dir()


def test_vector_fills_the_index_and_the_bucket_where_there_are_such(path: Path, folder: Path) -> None:
    installed(path, "vector")
    stack = Layout(folder, 1000, frozenset({"vector", "search", "s3"}))
    s3.prepare(stack)
    vector.prepare(stack)
    command = vector.programs(stack)[0].command
    assert command[2:4] == (
        "fleetpulse.stack.processes.after",
        "http://127.0.0.1:10200/_index_template/sensor_readings",
    )
    assert [Path(file).name for file in command[6::2]] == ["vector.yaml", "search.yaml", "cold.yaml", "stack.yaml"]
    asked_for = [re.findall(r"SECRET\[places\.(\w+)\]", Path(file).read_text()) for file in command[6::2]]
    assert {name for names in asked_for for name in names} == vector.places(stack).keys()


def test_prometheus_finds_vector_where_it_runs(folder: Path) -> None:
    assert "vector" not in prometheus.targets(Layout(folder, 1000, frozenset({"prometheus"})))
    both = Layout(folder, 1000, frozenset({"prometheus", "vector"}))
    assert prometheus.targets(both)["vector"] == ["127.0.0.1:10598"]


def test_grafana_gets_its_files_its_data_sources_and_a_password_of_its_own(path: Path, folder: Path) -> None:
    (folder / "conf").mkdir()
    (folder / "conf" / "defaults.ini").touch()
    installed(path, "grafana")
    stack = Layout(folder, 1000, frozenset({"grafana"}))
    grafana.prepare(stack)
    [program] = grafana.programs(stack)
    assert program.command == (str(path / "grafana"), "server", "--homepath", str(folder))
    told = program.environment
    assert (told["GF_SERVER_HTTP_ADDR"], told["GF_SERVER_HTTP_PORT"]) == ("127.0.0.1", "4000")
    assert told["FLEETPULSE_DB_HOST"] == "127.0.0.1:6432"
    assert told["FLEETPULSE_PROMETHEUS_URL"] == "http://127.0.0.1:10090"
    assert told["GF_SECURITY_ADMIN_PASSWORD"] == f"$__file{{{stack.secrets}/grafana_admin}}"
    assert len((stack.secrets / "grafana_admin").read_text()) > 24
    assert told["FLEETPULSE_ALERT_WEBHOOK"] == "http://localhost:9/"


@pytest.fixture
def postgresql(path: Path, folder: Path) -> Path:
    """A PostgreSQL on PATH, without the extension."""
    installed(path, "pg_config", f'echo "{folder}/pg$(echo "$1" | tr -s - /)"')
    (folder / "pg" / "sharedir" / "extension").mkdir(parents=True)
    return folder / "pg"


def test_a_postgresql_without_the_extension_is_told(postgresql: Path) -> None:
    with pytest.raises(FleetpulseError, match=f"the PostgreSQL in {postgresql}/bindir has no TimescaleDB"):
        postgres.check_timescaledb()


def test_a_stack_with_timescaledb_has_that_server_and_files_of_its_own(postgresql: Path, folder: Path) -> None:
    (postgresql / "sharedir" / "extension" / "timescaledb.control").touch()
    postgres.check_timescaledb()
    command = postgres.program(Layout(folder, 1000, frozenset({"timescaledb"}))).command
    assert f"{postgresql}/bindir/postgres" in command
    assert f"{folder}/data/timescaledb" in command
    assert "shared_preload_libraries=timescaledb" in command
    plain = postgres.program(Layout(folder, 1000)).command
    assert f"{folder}/data/postgres" in plain
    assert "shared_preload_libraries=timescaledb" not in plain
