"""The Dockerfile: what it takes from here, and that it takes enough."""

import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from fleetpulse.stack.install.artifacts import locked
from tests.unit.deploy.docker.composition import ONCE, ROOT, SERVICES

TEXT = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
STAGES = dict(re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM |\Z)", TEXT, re.MULTILINE | re.DOTALL))
REMOVED = re.search(r"rm -r ([\w/ ]+?) *&&", STAGES["build-tools"])[1].split()
CODE = "fleetpulse jobs sql udfs"
_PIN = re.compile(r"^([a-z0-9-]+)==(\S+)((?: \\\n    --hash=\S+)+)", re.MULTILINE)


def copied(stage: str) -> list[tuple[str, str]]:
    """What a stage copies from the project, and where to."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", STAGES[stage], re.MULTILINE)
    return [(source, line.split()[-1]) for line in lines for source in line.split()[:-1]]


def lay_out(stage: str, folder: Path) -> None:
    """Copy what a stage copies."""
    for source, target in copied(stage):
        place = folder / target / source.rpartition("/")[2] if target.endswith("/") else folder / target
        place.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, place)


def run(folder: Path, *command: str) -> str:
    """What a Python command prints that runs on the files in a folder, and on no others of the project."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "HOME": str(folder)}
    done = subprocess.run([sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_linter_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, "--no-color", str(ROOT / "Dockerfile")], capture_output=True, text=True)
    assert done.stdout + done.stderr == ""


def test_shell_scripts_can_be_read() -> None:
    scripts = [*(ROOT / "deploy" / "docker").rglob("*.sh")]
    assert len(scripts) >= 4
    for script in scripts:
        subprocess.run(["bash", "-n", str(script)], check=True)
        assert os.access(script, os.X_OK)


def test_images_of_compose_are_targets_without_root() -> None:
    for service in SERVICES.values():
        if "build" in service:
            target = service["build"]["target"]
            assert service["image"].startswith(f"fleetpulse/{target}:")
            assert "USER 9999:9999" in STAGES[target] or target == "kafka"  # whose base is appuser
            assert "root" not in STAGES[target]


def test_versions_of_images_are_those_of_what_is_in_them() -> None:
    project = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    broker = re.search(r"^FROM apache/kafka:(\S+)", TEXT, re.MULTILINE)
    assert project is not None
    assert broker is not None
    versions = {service["image"] for service in SERVICES.values() if "build" in service}
    assert versions == {
        f"fleetpulse/tools:{project[1]}",
        f"fleetpulse/flink:{project[1]}",
        f"fleetpulse/kafka:{broker[1]}",
    }
    embedded = {a.coordinate for a in locked() if a.group == "kafka"}
    assert f"org.apache.kafka:kafka_2.13:{broker[1]}" in embedded


def test_what_is_copied_is_there_and_reaches_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    sent = [line[1:] for line in lines if line.startswith("!")]
    assert lines[1] == "*"
    for stage in STAGES:
        for source, _ in copied(stage):
            assert (ROOT / source).exists()
            assert any(fnmatch(source, pattern) or source.startswith(f"{pattern}/") for pattern in sent), source


def test_artifacts_that_are_downloaded_are_locked() -> None:
    groups = {
        group
        for names in re.findall(r"stack\.install\.artifacts ([\w ]+?)(?: *&&|\s*$)", TEXT, re.MULTILINE)
        for group in names.split()
    }
    assert groups == {"agent", "flink", "prometheus"}
    assert groups <= {artifact.group for artifact in locked()}
    [agent] = [artifact.filename for artifact in locked() if artifact.group == "prometheus"]
    assert fnmatch(agent, "jmx_prometheus_javaagent-*.jar")


def test_the_small_image_has_the_versions_of_the_large_one() -> None:
    everything = _pins("requirements.txt")
    small = _pins("deploy/docker/tools.txt")
    assert len(small) > 20
    assert small.items() <= everything.items()


def test_the_small_image_has_all_that_its_commands_import(tmp_path: Path) -> None:
    lay_out("build-tools", tmp_path)
    for command in REMOVED:
        shutil.rmtree(tmp_path / command)
    commands = (
        "fleetpulse.database",
        "fleetpulse.deadletters",
        "fleetpulse.kafka",
        "fleetpulse.rulefiles",
        "fleetpulse.search",
        "generator",
    )
    ask = f"""
import importlib, re, sys
from importlib.metadata import packages_distributions
there = {set(_pins("deploy/docker/tools.txt"))!r}
known = packages_distributions()
class Absent:
    def find_spec(self, name, path=None, target=None):
        packages = {{re.sub("[-_.]+", "-", p).lower() for p in known.get(name.split(".")[0], ["fleetpulse"])}}
        if not packages & (there | {{"fleetpulse"}}):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
for name in {commands!r}:
    importlib.import_module(name + ".cli")
importlib.import_module("generator.sensors")
exec(compile(open("deploy/docker/migrate.py").read(), "migrate", "exec"), {{"__name__": "migrate"}})
"""
    run(tmp_path, "-c", ask)


def test_the_large_image_is_whole(tmp_path: Path) -> None:
    lay_out("build-flink", tmp_path)
    assert f"fleetpulse.stack.install.package build/fleetpulse.zip {CODE}" in STAGES["build-flink"]
    (tmp_path / "build").mkdir()
    run(tmp_path, "-m", "fleetpulse.stack.install.package", "build/fleetpulse.zip", *CODE.split())
    merged = YAML(typ="safe").load(
        run(tmp_path, "-m", "fleetpulse.stack.merge", "flink-conf/config.yaml", "flink-conf/compose.yaml")
    )
    assert merged["jobmanager.rpc.address"] == "jobmanager"
    link = "from fleetpulse.stack.programs.flink import link_libraries; link_libraries(Path('lib'))"
    run(tmp_path, "-c", f"from pathlib import Path; {link}")
    jars = {jar.name for jar in (tmp_path / "lib").iterdir()}
    assert jars >= {a.filename for a in locked() if a.group == "flink"}
    assert any(name.startswith("flink-python-") for name in jars)
    run(tmp_path, "-c", "import fleetpulse.stack.cli, jobs.monitor, jobs.archive")


def test_the_zip_of_the_image_has_what_the_makefile_puts_into_it() -> None:
    assert f"CODE := {CODE}\n" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ("kafka running healthy 0\nmigrate exited  0", 0),
        ("kafka running unhealthy 0\nmigrate exited  0", 1),
        ("kafka running starting 0", 1),
        ("migrate exited  1", 1),
        ("kafka running healthy 0\nvector exited  0", 1),
        ("", 1),
    ],
)
def test_health_is_good_only_where_all_is(lines: str, code: int) -> None:
    command = ["awk", "-f", str(ROOT / "deploy" / "docker" / "health.awk")]
    done = subprocess.run(command, input=lines, capture_output=True, text=True)
    assert done.returncode == code


def test_health_knows_what_runs_only_once() -> None:
    [names] = re.findall(r'split\("(.*?)"', (ROOT / "deploy" / "docker" / "health.awk").read_text())
    assert set(names.split()) == ONCE


def _pins(name: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Package to version and hashes."""
    return {
        package: (version, frozenset(hashes.split()) - {"\\"})
        for package, version, hashes in _PIN.findall((ROOT / name).read_text())
    }
