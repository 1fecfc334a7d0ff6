"""The targets with which containers are run: what each would do, as `make --dry-run` tells."""

import subprocess

import pytest

from tests.unit.deploy.docker.composition import ROOT

ALL = "docker compose --profile ha --profile sensors"


def would(*arguments: str) -> str:
    """What `make` would run."""
    done = subprocess.run(["make", "--dry-run", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("docker-build", f"{ALL} build"),
        ("docker-down", f"{ALL} down\n"),
        ("docker-clean", f"{ALL} down --volumes"),
        ("docker-logs", f"{ALL} logs --follow"),
        ("docker-ps", f"{ALL} ps --all"),
        ("status", f"{ALL} ps --all"),
        ("stop", f"{ALL} stop\n"),
        ("health", "deploy/docker/health.awk"),
        ("monitor", "http://localhost:8080"),
        ("build-sensors", f"{ALL} build sensors"),
        ("stop-sensors", f"{ALL} stop sensors simulator"),
        ("logs-sensors", f"{ALL} logs --follow --tail 100  sensors simulator"),
        ("monitor-sensors", "fleetpulse kafka watch sensor-data"),
        ("verify-cluster", "fleetpulse kafka verify-cluster"),
        ("test-topics", "fleetpulse kafka test-topics"),
        ("test-external", "fleetpulse kafka test-external"),
    ],
)
def test_a_target_does_what_its_name_says(target: str, command: str) -> None:
    assert " ".join(command.split()) in " ".join(would(target).split())


def test_starting_makes_passwords_first_and_starts_no_devices() -> None:
    for target in ("start", "docker-up"):
        told = would(target)
        assert told.index("deploy/docker/secrets.sh") < told.index("up --detach")
        assert "--profile" not in told
    assert "--profile sensors up --detach" in would("full-start")


def test_three_brokers_come_with_their_settings() -> None:
    assert "--env-file deploy/docker/ha.env --profile ha --profile sensors up" in would(
        "docker-up", "HA=1", "SENSORS=1"
    )


def test_sensors_run_on_this_machine_unless_a_container_is_asked_for() -> None:
    assert "fleetpulse sensors" in would("start-sensors")
    assert "up --detach sensors" in would("start-sensors", "DOCKER=1")


def test_cleaning_up_a_build_deletes_no_container() -> None:
    assert "docker" not in would("clean")
