"""`fleetpulse kafka` on a real broker, and the start script of the brokers in containers on real Kafka."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from clients.cli import command
from clients.commandline import run
from clients.topics import delete_topics
from fleetpulse.topics import ticks
from stack.artifacts import jars
from stack.layout import project_root
from stack.wheels import java_home
from tests.e2e.embedded import EmbeddedStack

pytestmark = pytest.mark.e2e

DOCKER = project_root() / "docker" / "kafka"


def test_a_cluster_that_is_whole_is_said_to_be_so(stack: EmbeddedStack, capsys: pytest.CaptureFixture[str]) -> None:
    broker = ["--kafka.bootstrap.servers", stack.bootstrap]
    delete_topics(stack.bootstrap, [ticks("monitor")])
    assert run(command, ["test-topics", *broker]) == 1
    assert re.search(r"fleetpulse\.ticks\.monitor +- +- +missing", capsys.readouterr().out)

    assert run(command, ["make-topics", *broker]) == 0
    assert "made fleetpulse.ticks.monitor" in capsys.readouterr().out
    assert run(command, ["test-topics", *broker]) == 0
    assert "missing" not in capsys.readouterr().out

    assert run(command, ["verify-cluster", *broker]) == 0
    assert f"1    {stack.bootstrap}" in capsys.readouterr().out
    assert run(command, ["test-external", *broker]) == 0
    assert f"broker 1 at {stack.bootstrap}: a record there and back" in capsys.readouterr().out


def test_no_broker_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, ["verify-cluster", "--kafka.bootstrap.servers", "127.0.0.1:1"]) == 1
    assert capsys.readouterr().err.startswith("error: no broker answers")


@pytest.mark.parametrize(
    ("node", "said"),
    [("1", "Formatting dynamic metadata voter directory"), ("2", "Formatting metadata directory")],
    ids=["the first makes the cluster", "others join it"],
)
def test_kafka_takes_what_the_start_script_writes(node: str, said: str, tmp_path: Path) -> None:
    started = _start(node, tmp_path)
    assert said in started.stdout
    assert "started with" in started.stdout
    again = _start(node, tmp_path)  # a container that is started again
    assert "already formatted" in again.stdout
    written = (tmp_path / "server.properties").read_text()
    assert "default.replication.factor=2" in written
    assert "advertised.listeners=INTERNAL://kafka-9:9092,HOST://localhost:9094,CONTROLLER://kafka-9:9093" in written


def _start(node: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run the script with the real tool that formats, and without the server."""
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
    for path, here in (("/opt/kafka/bin", folder), ("/etc/fleetpulse", folder / "etc"), ("/tmp", folder)):
        script = script.replace(path, str(here)) if path != "/tmp" else script.replace("=/tmp/", f"={here}/")
    environment = {"NODE_ID": node, "HOST_PORT": "9094", "REPLICATION": "2", "CLUSTER_ID": "G1FIPcozV56benM0i6SDnA"}
    return subprocess.run(
        ["bash", "-c", f"HOSTNAME=kafka-9\n{script}"],
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
