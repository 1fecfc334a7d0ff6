"""What containers run, on real Kafka and PostgreSQL, though without containers."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from fleetpulse.stack.install.artifacts import jars
from fleetpulse.stack.install.wheels import java_home
from fleetpulse.stack.layout import project_root
from tests.e2e.support.embedded import EmbeddedStack

pytestmark = pytest.mark.e2e

DOCKER = project_root() / "deploy" / "docker" / "kafka"


def test_roles_can_log_in_with_the_passwords_of_the_secret_files(stack: EmbeddedStack) -> None:
    secrets = stack.dir / "secrets"
    for _ in range(2):  # every `docker compose up` runs it
        done = subprocess.run(
            [sys.executable, "deploy/docker/migrate.py", "--host", "127.0.0.1", "--secrets", str(secrets)],
            cwd=project_root(),
            env=os.environ | {"PGPORT": str(stack.layout.ports["postgres"]), "PYTHONPATH": str(project_root())},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == "the database is up to date"
    for role in ("alert_writer", "monitor_user"):
        password = (secrets / role).read_text().strip()
        port = stack.layout.ports["postgres"]
        with psycopg.connect(host="127.0.0.1", port=port, user=role, password=password, dbname="monitoring") as own:
            assert own.execute("SELECT current_user").fetchone() == (role,)


def test_kafka_takes_what_the_start_script_writes(tmp_path: Path) -> None:
    first, other = tmp_path / "first", tmp_path / "other"
    assert "Formatting dynamic metadata voter directory" in _start("1", first)
    assert "Formatting metadata directory" in _start("2", other)
    assert "already formatted" in _start("2", other)  # a container that is started again
    with socket.create_server(("127.0.0.1", 0)) as controller:  # of another node, so that there is a cluster already
        assert "Formatting metadata directory" in _start("1", tmp_path / "lost", controller.getsockname()[1])
    written = (other / "server.properties").read_text()
    assert "default.replication.factor=2" in written
    assert "advertised.listeners=INTERNAL://kafka-9:9092,HOST://localhost:9094,CONTROLLER://kafka-9:9093" in written


def _start(node: str, folder: Path, others_port: int = 1) -> str:
    """Run the script with the real tool that formats, and without the server; what is said."""
    folder.mkdir(exist_ok=True)
    programs: dict[str, str] = {
        "kafka-storage.sh": f"{java_home()}/bin/java -cp {':'.join(map(str, jars('kafka')))} kafka.tools.StorageTool",
        "kafka-server-start.sh": "echo started with",
    }
    for name, program in programs.items():
        (folder / name).write_text(f'#!/bin/sh\nexec {program} "$@"\n')
        (folder / name).chmod(0o755)
    (folder / "etc").mkdir(exist_ok=True)
    properties = (DOCKER / "server.properties").read_text()
    (folder / "etc" / "server.properties").write_text(properties.replace("/var/lib/kafka/data", str(folder / "data")))
    script = (DOCKER / "start.sh").read_text()
    places = {
        "/opt/kafka/bin": folder,
        "/etc/fleetpulse": folder / "etc",
        "=/tmp/": f"={folder}/",
        "/dev/tcp/$node/9093": f"/dev/tcp/127.0.0.1/{others_port}",
    }
    for path, here in places.items():
        assert path in script
        script = script.replace(path, str(here))
    environment = {"NODE_ID": node, "HOST_PORT": "9094", "REPLICATION": "2", "CLUSTER_ID": "G1FIPcozV56benM0i6SDnA"}
    done = subprocess.run(
        ["bash", "-c", f"HOSTNAME=kafka-9\n{script}"],
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "started with" in done.stdout
    return done.stdout
