"""deploy/docker/broker.sh names the containers' broker only where nothing else does."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.unit.deploy.docker.composition import ROOT

VARIABLES = ("KAFKA_BROKERS", "KAFKA_BOOTSTRAP_SERVERS", "FLEETPULSE_KAFKA_BOOTSTRAP_SERVERS")
REGISTRY = "SCHEMA_REGISTRY_URL"
OF_CONTAINERS = ["KAFKA_BROKERS=localhost:9092", f"{REGISTRY}=http://localhost:8085/apis/ccompat/v7"]


def named_in(folder: Path, docker: str | None, **variables: str) -> list[str]:
    """The variables that name brokers or a registry for a command of the script, where `docker` prints so much."""
    programs = folder / "bin"
    programs.mkdir()
    if docker is not None:
        (programs / "docker").write_text(f"#!/bin/sh\nprintf '{docker}'\n")
        (programs / "docker").chmod(0o755)
    environment = {
        name: value for name, value in os.environ.items() if name not in (*VARIABLES, REGISTRY, "FLEETPULSE_DIR")
    }
    environment |= {"PATH": f"{programs}:/usr/bin:/bin", **variables}
    command = ["bash", str(ROOT / "deploy" / "docker" / "broker.sh"), "env"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if line.partition("=")[0] in (*VARIABLES, REGISTRY)]


def test_the_containers_broker_is_named_while_it_runs(tmp_path: Path) -> None:
    assert sorted(named_in(tmp_path, "0123abcd")) == OF_CONTAINERS


def test_a_registry_that_is_named_stays(tmp_path: Path) -> None:
    given = f"{REGISTRY}=http://mine:8085"
    assert sorted(named_in(tmp_path, "0123abcd", **dict([given.split("=", 1)]))) == [OF_CONTAINERS[0], given]


@pytest.mark.parametrize("docker", ["", None], ids=["no container runs", "no docker"])
def test_no_broker_is_guessed(tmp_path: Path, docker: str | None) -> None:
    assert named_in(tmp_path, docker) == []


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_counts_more(tmp_path: Path, variable: str) -> None:
    assert named_in(tmp_path, "0123abcd", **{variable: "mine:1"}) == [f"{variable}=mine:1"]


@pytest.mark.parametrize("folder", [".fleetpulse", "elsewhere"])
def test_so_does_the_folder_s_stack(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "stack.json").write_text("{}")
    assert named_in(tmp_path, "0123abcd", FLEETPULSE_DIR=folder) == []
