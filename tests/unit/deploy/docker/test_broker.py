"""deploy/docker/broker.sh names the containers' broker only where nothing else does."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.unit.deploy.docker.composition import ROOT

VARIABLES = ("KAFKA_BROKERS", "KAFKA_BOOTSTRAP_SERVERS", "FLEETPULSE_KAFKA_BOOTSTRAP_SERVERS")


def brokers_in(folder: Path, docker: str | None, **variables: str) -> list[str]:
    """The variables that name brokers for a command that the script runs, where `docker` prints so much."""
    programs = folder / "bin"
    programs.mkdir()
    if docker is not None:
        (programs / "docker").write_text(f"#!/bin/sh\nprintf '{docker}'\n")
        (programs / "docker").chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name not in (*VARIABLES, "FLEETPULSE_DIR")}
    environment |= {"PATH": f"{programs}:/usr/bin:/bin", **variables}
    command = ["bash", str(ROOT / "deploy" / "docker" / "broker.sh"), "env"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if line.partition("=")[0] in VARIABLES]


def test_the_containers_broker_is_named_while_it_runs(tmp_path: Path) -> None:
    assert brokers_in(tmp_path, "0123abcd") == ["KAFKA_BROKERS=localhost:9092"]


@pytest.mark.parametrize("docker", ["", None], ids=["no container runs", "no docker"])
def test_no_broker_is_guessed(tmp_path: Path, docker: str | None) -> None:
    assert brokers_in(tmp_path, docker) == []


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_counts_more(tmp_path: Path, variable: str) -> None:
    assert brokers_in(tmp_path, "0123abcd", **{variable: "mine:1"}) == [f"{variable}=mine:1"]


@pytest.mark.parametrize("folder", [".fleetpulse", "elsewhere"])
def test_so_does_the_folder_s_stack(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "stack.json").write_text("{}")
    assert brokers_in(tmp_path, "0123abcd", FLEETPULSE_DIR=folder) == []
