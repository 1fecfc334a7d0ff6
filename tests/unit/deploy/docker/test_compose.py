"""docker-compose.yaml: what no engine is needed for to know that it is so."""

import json
import os
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import jsonschema
import pytest

from tests.unit.deploy.docker.composition import (
    ONCE,
    ROOT,
    SERVICES,
    SERVING,
    bind_mounts,
    composition,
    environment_file,
    published,
    secrets_of,
    variables,
)

PORTS = {
    ("kafka", 9092),
    ("kafka-2", 9094),
    ("kafka-3", 9096),
    ("registry", 8085),
    ("jobmanager", 8081),
    ("timescaledb", 5432),
    ("grafana", 3000),
    ("prometheus", 9090),
    ("kafka-ui", 8080),
    ("search", 9200),
    ("s3", 9000),
    ("s3", 9001),
    ("vector", 8686),
}
OTHER_INSIDE = {9092: 19092, 9094: 19092, 9096: 19092, 9001: 8888}  # listeners for this machine, and S3's browser


def test_it_is_a_compose_file() -> None:
    package = find_spec("check_jsonschema")
    assert package is not None
    assert package.origin is not None
    schema = Path(package.origin).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(composition(), json.loads(schema.read_text()))


def test_every_image_has_an_exact_version_and_a_reason() -> None:
    reasons = (ROOT / "deploy" / "docker" / "images.md").read_text()
    bases = re.findall(r"^FROM (\S+:\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    used = {service["image"] for service in SERVICES.values()} | set(bases)
    assert all(re.search(r":v?\d+\.\d+[.\d]*(-\w+)*$", image) for image in used)
    foreign = {image for image in used if not image.startswith("fleetpulse/")}
    assert foreign == set(re.findall(r"^\| `([^`]+)` \|", reasons, re.MULTILINE))


def test_every_port_is_on_the_loopback_interface_and_the_one_that_was_agreed() -> None:
    found = list(published())
    assert {address for _, address, _, _ in found} == {"127.0.0.1"}
    assert {(name, outside) for name, _, outside, _ in found} == PORTS
    assert all(inside == OTHER_INSIDE.get(outside, outside) for _, _, outside, inside in found)


@pytest.mark.parametrize("name", sorted(SERVING))
def test_what_serves_is_watched_bounded_and_started_again(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"].keys() >= {"test", "interval", "timeout", "retries", "start_period"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_container_has_little_memory_few_rights_and_a_log_that_ends(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert "privileged" not in service
    assert service.get("network_mode") is None


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_waits_for_what_it_needs_to_be_ready(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        ready = "service_completed_successfully" if needed in ONCE else "service_healthy"
        if name in {"kafka-2", "kafka-3"}:
            ready = "service_started"  # one of three alone is never healthy, and what waited for it would never start
        assert how["condition"] == ready
        assert how.get("required", True) != ("profiles" in SERVICES[needed])


def test_what_is_mounted_from_here_exists_and_is_not_written_to() -> None:
    found = [mount for mount in bind_mounts() if mount != ("secrets", "./secrets", "rw")]
    assert {mode for _, _, mode in found} == {"ro"}
    kept = [path for _, path, _ in found if not path.startswith("./secrets/for/")]
    assert [path for path in kept if not (ROOT / path).exists()] == []


def test_every_volume_is_declared_and_used() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert {name for name in used if not name.startswith(".")} == composition()["volumes"].keys()


def make_secrets(folder: Path) -> Path:
    """Run the script as the service does, beside a file whose owner is to have them; where they are then."""
    (folder / "docker-compose.yaml").touch()
    script = [str(ROOT / "deploy" / "docker" / "secrets.sh"), *SERVICES["secrets"]["command"]]
    subprocess.run(["bash", *script], cwd=folder, check=True)
    return folder / "secrets"


def test_secrets_come_by_file_and_never_by_the_environment(tmp_path: Path) -> None:
    folder = make_secrets(tmp_path)
    made = {file.name: file.read_text() for file in folder.iterdir() if file.is_file()}
    assert {name for service in SERVICES for name in secrets_of(service)} == made.keys()
    for service in SERVICES.values():
        environment = [f"{name}={value}" for name, value in service.get("environment", {}).items()]
        for setting in environment + [word for word in service.get("command", ()) if "=" in word]:
            name, value = setting.split("=", 1)
            if re.search("pass|secret|key|token", name.lower()):
                assert re.match(r"/run/secrets/|\$\$__file\{/run/secrets/", value), setting
    assert all(re.fullmatch("[0-9a-f]{32}", text) for text in made.values())
    assert len(set(made.values())) == len(made)


def test_secrets_are_their_owners_and_stay_what_they_are(tmp_path: Path) -> None:
    folder = make_secrets(tmp_path)
    before = (folder / "owner").read_text()
    make_secrets(tmp_path)
    assert (folder / "owner").read_text() == before
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_uid for path in tmp_path.rglob("*")} == {os.getuid()}
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"secrets/", ".env"} <= set(ignored)


def test_every_service_gets_its_own_secrets_once_they_are_made(tmp_path: Path) -> None:
    """A first `docker compose up` makes them: Docker makes the folders, and the service that fills them goes first."""
    readers = {name for name in SERVICES if secrets_of(name)}
    for name in readers:
        (tmp_path / "secrets" / "for" / name).mkdir(parents=True)  # as Docker does
    folder = make_secrets(tmp_path)
    for name in readers:
        own = folder / "for" / name
        assert {file.name: file.read_text() for file in own.iterdir()} == {
            secret: (folder / secret).read_text() for secret in secrets_of(name)
        }
        assert own.stat().st_mode & 0o777 == 0o755
        assert {file.stat().st_mode & 0o777 for file in own.iterdir()} == {0o444}
        assert SERVICES[name]["depends_on"]["secrets"] == {"condition": "service_completed_successfully"}
        assert f"./secrets/for/{name}:/run/secrets:ro" in SERVICES[name]["volumes"]
    mounted = {
        name for name, service in SERVICES.items() if any("/run/secrets" in v for v in service.get("volumes", ()))
    }
    assert mounted == readers


def test_a_secret_that_is_given_again_reaches_whoever_reads_it(tmp_path: Path) -> None:
    folder = make_secrets(tmp_path)
    (folder / "monitor_user").unlink()
    make_secrets(tmp_path)
    assert (folder / "for" / "grafana" / "monitor_user").read_text() == (folder / "monitor_user").read_text()


def test_whoever_reads_a_secret_file_has_it() -> None:
    for name, service in SERVICES.items():
        assert set(re.findall(r"/run/secrets/(\w+)", json.dumps(service))) <= secrets_of(name), name


def test_three_brokers_need_no_more_than_the_file_for_it() -> None:
    settings = environment_file("deploy/docker/ha.env")
    assert settings.pop("COMPOSE_PROFILES") == "ha"
    assert variables().keys() >= settings.keys()
    brokers = [
        name
        for name, service in composition(settings)["services"].items()
        if "NODE_ID" in service.get("environment", {})
    ]
    assert settings["KAFKA_BOOTSTRAP"] == ",".join(f"{name}:9092" for name in brokers)
    assert {name for name in brokers if SERVICES[name].get("profiles") == ["ha"]} == {"kafka-2", "kafka-3"}


def test_the_example_names_every_other_variable() -> None:
    example = (ROOT / ".env.example").read_text()
    others = variables().keys() - environment_file("deploy/docker/ha.env").keys()
    assert set(re.findall(r"^#(\w+)=", example, re.MULTILINE)) == others | {"COMPOSE_PROFILES"}


def test_the_page_says_how_much_memory_it_takes() -> None:
    page = (ROOT / "docs" / "docker.md").read_text()
    always = sum(_mebibytes(name) for name in SERVING if "profiles" not in SERVICES[name])
    three = always + sum(_mebibytes(name) for name in ("kafka-2", "kafka-3"))
    assert f"{always / 1024:.1f} GiB" in page
    assert f"{three / 1024:.1f} GiB" in page


def _mebibytes(name: str) -> int:
    limit = SERVICES[name]["mem_limit"]
    return int(limit[:-1]) * (1024 if limit.endswith("g") else 1)
