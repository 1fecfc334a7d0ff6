"""What `make --dry-run` prints can run: commands, options, modules, services and files are there."""

import importlib
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from fleetpulse.cli.main import fleetpulse
from fleetpulse.cli.settings import parse as parse_settings
from generator.cli import Settings, scenario_of
from generator.scenario import ENDLESS_MS, Dialect, Scenario
from tests.unit.deploy.docker.composition import ROOT, SERVICES

TEXT = (ROOT / "Makefile").read_text()
HELP = dict(re.findall(r"^([a-z][a-z0-9-]*):.*?## (.*)$", TEXT, re.MULTILINE))
COMPOSE = ("build", "down", "logs", "ps", "stop", "up")
PROFILES = {profile for service in SERVICES.values() for profile in service.get("profiles", ())}

each_target = pytest.mark.parametrize("target", sorted(HELP))


@cache
def would(*arguments: str) -> str:
    """What `make` would run, one command a line."""
    done = subprocess.run(["make", "--dry-run", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.replace("\\\n", " ")


def commands(target: str, program: str) -> Iterator[list[str]]:
    """The words after each call of `program`, for a target as it is and with the arguments that its help proposes."""
    proposed = [f"ARGS={words}" for words in re.findall(r'ARGS="([^"]*)"', HELP[target])]
    flags = re.findall(r"\b(HA=1|SENSORS=1|DOCKER=1|STOP=1|DURATION=\d+|JOB=\w+)", HELP[target])
    for given in ("", *proposed, *flags):
        for line in would(target, *filter(None, [given])).splitlines():
            if program in line:
                yield shlex.split(line.split(program, 1)[1].split("|")[0])


def parse(command: click.Command, words: list[str]) -> None:
    """Hold words against a command line, down to the last subcommand; runs nothing."""
    context = click.Context(command)
    while isinstance(command, click.Group):
        name, *words = words
        found = command.get_command(context, name)
        assert found is not None, f"no command {name!r}"
        command = found
    if "--" in words and words[-1] != "--":  # what follows is the job's
        split = words.index("--")
        job = next(word for word in words if not word.startswith("-"))
        parse(importlib.import_module(f"jobs.{job}").command, words[split + 1 :])
    command.make_context("make", [word.replace("*", "fleet") for word in words])


@each_target
def test_every_command_exists_with_its_arguments(target: str) -> None:
    for words in commands(target, ".venv/bin/fleetpulse"):
        parse(fleetpulse, words)


@each_target
def test_every_module_exists(target: str) -> None:
    for words in commands(target, ".venv/bin/python -m"):
        path = words[0].replace(".", "/")
        assert words[0] == "pip" or (ROOT / f"{path}.py").exists() or (ROOT / path / "__main__.py").exists()


@each_target
def test_containers_are_asked_for_by_services_and_profiles_that_exist(target: str) -> None:
    for words in commands(target, "docker compose"):
        options, verb = [], ""
        while not verb:
            word = words.pop(0)
            if word in ("--env-file", "--profile"):
                options.append((word, words.pop(0)))
            else:
                verb = word
        assert verb in COMPOSE
        assert {value for name, value in options if name == "--profile"} <= PROFILES
        assert all((ROOT / value).is_file() for name, value in options if name == "--env-file" and value != ".env")
        services = [word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)]
        assert set(services) <= SERVICES.keys()


@each_target
def test_every_file_that_is_read_exists(target: str) -> None:
    named = re.findall(r"(?:bash|awk -f|--rules|rules test) ([\w/.-]+\.\w+)", would(target))
    assert [name for name in named if not Path(ROOT, name).is_file()] == []


def test_data_of_containers_is_deleted_by_one_target_alone() -> None:
    assert {target for target in HELP if "--volumes" in would(target)} == {"docker-clean"}


def test_containers_that_are_stopped_or_removed_are_all_of_them() -> None:
    for target in ("docker-down", "docker-clean", "stop"):
        [words] = commands(target, "docker compose")
        assert {words[index + 1] for index, word in enumerate(words) if word == "--profile"} == PROFILES


def test_starting_makes_passwords_first_and_starts_no_devices() -> None:
    for target in ("start", "docker-up"):
        told = would(target)
        assert told.index("deploy/docker/secrets.sh") < told.index("up --detach")
        assert "--profile" not in told
    assert "--profile sensors up --detach" in would("full-start")


def test_all_tests_are_run_by_one_target() -> None:
    assert {words[-1] for words in commands("test", ".venv/bin/pytest")} == {"tests/unit", "tests/jobs", "tests/e2e"}
    assert [words[-1] for words in commands("test-unit", ".venv/bin/pytest")] == ["tests/unit"]


def test_topics_are_watched_in_a_browser() -> None:
    assert "open http://localhost:8080" in would("monitor")


def test_three_brokers_come_with_their_settings() -> None:
    assert "--env-file deploy/docker/ha.env --profile ha --profile sensors up" in would(
        "docker-up", "HA=1", "SENSORS=1"
    )


def test_sensors_run_on_this_machine_unless_a_container_is_asked_for() -> None:
    assert "fleetpulse sensors" in would("start-sensors")
    assert "up --detach sensors" in would("start-sensors", "DOCKER=1")


def producer(monkeypatch: pytest.MonkeyPatch, **given: str) -> Scenario:
    """What `make run-producer` would simulate in an environment."""
    for name in [name for name in os.environ if name.startswith(("FLEETPULSE_", "SENSOR_", "METRICS_"))]:
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    done = subprocess.run(["make", "--dry-run", "run-producer"], cwd=ROOT, capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.replace("\\\n", " ").splitlines() if "fleetpulse generate" in line)
    command, arguments = line.split(".venv/bin/fleetpulse generate")
    printed = subprocess.run(["bash", "-c", f"{command} env"], capture_output=True, text=True, check=True).stdout
    for name, value in (entry.split("=", 1) for entry in printed.splitlines() if "=" in entry):
        if name.startswith(("FLEETPULSE_", "SENSOR_", "METRICS_")):
            monkeypatch.setenv(name, value)
    return scenario_of(parse_settings(Settings, shlex.split(arguments)))


def test_the_producer_sends_as_its_predecessor_did_until_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = producer(monkeypatch)
    assert (usual.devices, usual.interval_ms, usual.dialect) == (1_000, 2_000, Dialect.TELEMETRY)
    assert (usual.duration_ms, usual.failure_probability) == (ENDLESS_MS, 0)
    assert os.environ["METRICS_PORT"] == "2112"


def test_variables_win_over_what_the_producer_usually_does(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = producer(monkeypatch, SENSOR_COUNT="7", SENSOR_INTERVAL="500ms", METRICS_PORT="2113")
    assert (asked.devices, asked.interval_ms) == (7, 500)
    assert os.environ["METRICS_PORT"] == "2113"
    general = producer(monkeypatch, FLEETPULSE_NUM_DEVICES="8", FLEETPULSE_DIALECT="avro")
    assert (general.devices, general.dialect) == (8, Dialect.AVRO)
    ending = producer(monkeypatch, FLEETPULSE_DURATION_SECONDS="60", FLEETPULSE_FAILURE_PROBABILITY="0.1")
    assert (ending.duration_ms, ending.failure_probability) == (60_000, 0.1)


def test_cleaning_up_a_build_deletes_no_container() -> None:
    assert "docker" not in would("clean")


def test_targets_without_docker_need_no_docker() -> None:
    section = re.search(r"^## With Docker\n(.*?)^## ", TEXT, re.MULTILINE | re.DOTALL)
    assert section is not None
    containers = set(re.findall(r"^([a-z][a-z0-9-]*):.*## ", section[1], re.MULTILINE))
    assert {target for target in HELP if "docker compose" in would(target)} <= containers


def test_every_target_has_a_line_of_help() -> None:
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", TEXT, re.MULTILINE))
    assert targets == HELP.keys()
    printed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [target for target in targets if f"\n  {target} " not in f"\n{printed}"] == []


@pytest.mark.parametrize(
    ("environment", "topic"),
    [({}, "telemetry.raw"), ({"TELEMETRY_TOPIC": "sensor.raw"}, "sensor.raw"), ({"FLEETPULSE_EVENTS_TOPIC": "a"}, "a")],
    ids=["as published", "the variable", "our own variable"],
)
def test_the_detector_reads_the_topic_that_the_environment_names(environment: dict[str, str], topic: str) -> None:
    """Make's own line, with a command in the place of `fleetpulse` that prints the variable."""
    [line] = [line for line in would("run-detector").splitlines() if "stack submit anomaly" in line]
    script = line.replace(".venv/bin/fleetpulse", "printenv TELEMETRY_TOPIC #")
    clean = {"PATH": os.environ["PATH"], **environment}
    done = subprocess.run(["bash", "-c", script], env=clean, capture_output=True, text=True, check=True)
    assert done.stdout == f"{topic}\n"


@pytest.mark.parametrize(
    ("target", "folders"),
    [("test", {"unit", "jobs", "e2e"}), ("test-unit", {"unit"}), ("test-jobs", {"jobs"}), ("test-e2e", {"e2e"})],
)
def test_each_target_of_tests_runs_its_folders(target: str, folders: set[str]) -> None:
    assert set(re.findall(r"\.venv/bin/pytest .*tests/(\w+)$", would(target), re.MULTILINE)) == folders
    assert {folder for folder in folders if not any((ROOT / "tests" / folder).rglob("test_*.py"))} == set()
