"""docker-compose.yaml beside the configuration files that it mounts: names and ports on which both must agree."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click import Command, Context
from ruamel.yaml import YAML

from fleetpulse.cli import main
from fleetpulse.cli.settings import parse
from fleetpulse.stack.merge import merge
from fleetpulse.topics import SENSOR_RAW, TOPICS
from generator.sensors import Settings, sensors_of
from jobs.wiring.arguments import Telemetry
from tests.unit.deploy.docker.composition import (
    ONCE,
    ROOT,
    SERVICES,
    composition,
    environment_file,
    options,
    secrets_of,
)

PROPERTIES = dict(
    line.split("=", 1)
    for line in (ROOT / "deploy" / "docker" / "kafka" / "server.properties").read_text().splitlines()
    if line and not line.startswith("#")
)
LISTENING = {
    ("kafka", 7071),
    ("jobmanager", 9249),
    ("taskmanager", 2113),
    ("postgres-exporter", 9187),
    ("vector", 9598),
    ("simulator", 2112),
    ("sensors", 2112),
    ("localhost", 9090),
}
INSIDE = {
    "kafka": 9092,
    "timescaledb": 5432,
    "search": 9200,
    "s3": 9000,
    "prometheus": 9090,
    "registry": 8085,
    "jobmanager": 8081,
}


@pytest.mark.parametrize(
    ("environment", "more"),
    [({}, set()), (environment_file("deploy/docker/ha.env"), {("kafka-2", 7071), ("kafka-3", 7071)})],
    ids=["one broker", "three brokers"],
)
def test_prometheus_scrapes_what_listens(environment: dict[str, str], more: set[tuple[str, int]]) -> None:
    mounts = [volume.split(":") for volume in composition(environment)["services"]["prometheus"]["volumes"]]
    inside = {target: ROOT / source for source, target, *_ in mounts}
    configuration = (ROOT / "deploy" / "observability" / "prometheus" / "prometheus.yaml").read_text()
    scraped = set()
    for name in re.findall(r"files: \[targets/(\S+)\]", configuration):
        file = inside.get(f"/etc/prometheus/targets/{name}") or inside["/etc/prometheus/targets"] / name
        for group in YAML(typ="safe").load(file):
            scraped |= {(address.split(":")[0], int(address.split(":")[1])) for address in group["targets"]}
    assert scraped == LISTENING | more


def test_what_is_scraped_is_started_with_its_port() -> None:
    flink = (ROOT / "deploy" / "docker" / "flink.sh").read_text()
    assert 'jobmanager.sh" start-foreground -D metrics.reporter.prom.port=9249' in flink
    assert 'taskmanager.sh" start-foreground -D metrics.reporter.prom.port=2113' in flink
    assert "=7071:/etc/kafka-jmx.yaml" in (ROOT / "deploy" / "docker" / "kafka" / "start.sh").read_text()
    assert options("simulator")["--metrics.port"] == options("sensors")["--metrics.port"] == "2112"
    vector = YAML(typ="safe").load(ROOT / "deploy" / "observability" / "vector" / "compose.yaml")
    assert vector["api"]["address"] == "0.0.0.0:8686"
    assert vector["sinks"]["metrics"]["address"] == "0.0.0.0:9598"


def test_vector_finds_everything_by_its_name() -> None:
    folder = ROOT / "deploy" / "observability" / "vector"
    places = json.loads((folder / "compose.places.json").read_text())
    named = {tuple(re.search(r"([a-z0-9]+):(\d+)", place).groups()) for place in places.values()}
    assert named == {(name, str(INSIDE[name])) for name in ("kafka", "timescaledb", "search", "s3")}
    files = [word.removeprefix("--config=") for word in SERVICES["vector"]["command"]]
    read = "".join((folder / file).read_text() for file in files)
    assert set(re.findall(r"SECRET\[secrets\.(\w+)\]", read)) == secrets_of("vector")
    assert f"data_dir: {_target('vector', 'vector-data')}" in read
    made = {topic.name for topic in TOPICS} | {"sensor-data", "sensor.raw"}  # the last two by whoever fills them
    assert set(re.findall(r"^    topic: (\S+)", read, re.MULTILINE)) <= made


def test_a_database_that_stops_costs_vector_no_batch() -> None:
    places = json.loads((ROOT / "deploy" / "observability" / "vector" / "compose.places.json").read_text())
    assert "sslmode=disable" in places["database"]
    assert SERVICES["timescaledb"]["stop_signal"] == "SIGQUIT"


def test_grafana_has_every_variable_that_its_files_want() -> None:
    environment = SERVICES["grafana"]["environment"]
    wanted = set()
    for file in (ROOT / "deploy" / "observability" / "grafana" / "provisioning").rglob("*.yaml"):
        wanted |= set(re.findall(r"\$\{(\w+)\}", file.read_text()))
    assert wanted
    assert wanted <= environment.keys()
    assert environment["FLEETPULSE_DB_HOST"] == f"timescaledb:{INSIDE['timescaledb']}"
    assert environment["FLEETPULSE_PROMETHEUS_URL"] == f"http://prometheus:{INSIDE['prometheus']}"
    assert environment["FLEETPULSE_DASHBOARDS"] in json.dumps(SERVICES["grafana"]["volumes"])


def test_the_index_template_is_the_one_that_is_put_in_place() -> None:
    assert SERVICES["search-index"]["command"][-1] == "http://search:9200/_index_template/sensor_readings"
    template = json.loads((ROOT / "deploy" / "observability" / "search" / "sensor_readings.json").read_text())
    assert template["index_patterns"] == ["sensor_readings"]


def test_the_bucket_is_the_one_that_is_written_to() -> None:
    bucket = re.search(r"bucket: (\S+)", (ROOT / "deploy" / "observability" / "vector" / "cold.yaml").read_text())
    assert bucket is not None
    assert f"-name {bucket[1]};" in SERVICES["s3-bucket"]["command"][0]


def test_brokers_tell_the_addresses_at_which_they_are_reached() -> None:
    listeners = dict(re.findall(r"(\w+)://:(\d+)", PROPERTIES["listeners"]))
    assert listeners == {"INTERNAL": "9092", "HOST": "19092", "CONTROLLER": "9093"}
    brokers = {name: s for name, s in SERVICES.items() if "NODE_ID" in s.get("environment", {})}
    for name, service in brokers.items():
        assert service["hostname"] == name
        assert service["ports"] == [f"127.0.0.1:{service['environment']['HOST_PORT']}:19092"]
    voters = ",".join(f"{name}:9093" for name in brokers)
    assert PROPERTIES["controller.quorum.bootstrap.servers"] == voters
    assert len({service["environment"]["NODE_ID"] for service in brokers.values()}) == 3


def test_brokers_take_records_as_large_as_the_embedded_ones_do() -> None:
    text = (ROOT / "fleetpulse" / "stack" / "programs" / "kafka.py").read_text()
    for name in PROPERTIES:
        if name.endswith(".bytes") or name.startswith("transaction.max") or name == "auto.create.topics.enable":
            assert f'"{name}"' in text, name
    assert int(PROPERTIES["message.max.bytes"]) == (16 << 20) + (1 << 20)
    assert int(PROPERTIES["socket.request.max.bytes"]) == 4 * int(PROPERTIES["message.max.bytes"])


def test_flink_is_configured_for_its_containers() -> None:
    conf = ROOT / "flink-conf"
    both = merge(conf / "config.yaml", conf / "compose.yaml")
    assert both["jobmanager.rpc.address"] == both["rest.address"] == "jobmanager"
    assert both["rest.port"] == INSIDE["jobmanager"]
    assert "taskmanager.host" not in both
    assert [key for key, value in both.items() if value == "127.0.0.1"] == []
    data = _target("taskmanager", "flink-data")
    assert str(both["execution.checkpointing.dir"]).startswith(f"file://{data}/")
    for job in ("submit-monitor", "submit-archive"):
        assert _target(job, "flink-data") == data
        assert options(job)["--checkpoint.dir"] == "file://" + options(job)["--resume"]
        assert options(job)["--flink.rest"] == f"jobmanager:{INSIDE['jobmanager']}"
    assert _bytes(both["jobmanager.memory.process.size"]) < _bytes(SERVICES["jobmanager"]["mem_limit"])
    assert _bytes(both["taskmanager.memory.process.size"]) < _bytes(SERVICES["taskmanager"]["mem_limit"])


@pytest.mark.parametrize("job", ["monitor", "archive"])
def test_jobs_take_the_arguments_that_they_are_submitted_with(job: str, tmp_path: Path) -> None:
    command = SERVICES[f"submit-{job}"]["command"]
    assert command[:3] == ["stack", "submit", job]
    (tmp_path / "alert_writer").write_text("secret")
    given = " ".join(command[command.index("--") + 1 :])
    here = given.replace("/opt/fleetpulse", str(ROOT)).replace("/run/secrets", str(tmp_path)).split(" ")
    done = subprocess.run(
        [sys.executable, "-m", f"jobs.{job}", "--check", *here], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["topics", "simulator", "sensors", "search-avro", "submit-monitor", "submit-archive"])
def test_commands_exist_with_their_options(name: str) -> None:
    command: Command = main.fleetpulse
    words = list(SERVICES[name]["command"])
    while hasattr(command, "get_command"):
        context = Context(command)
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command = found
    command.make_context(name, words)


def test_the_limits_of_every_rule_set_can_be_set_from_outside() -> None:
    sets = {path.stem: path.read_text() for path in (ROOT / "rules").glob("*.yaml")}
    named = {name for text in sets.values() for name in re.findall(r"\$\{(\w+):-", text)}
    assert {"MAX_TEMPERATURE", "MIN_HUMIDITY", "TEMP_MIN_THRESHOLD"} <= named
    given = {name: str(number) for number, name in enumerate(sorted(named))}
    for rules in sets:
        service = composition({**given, "RULES": rules})["services"]["submit-monitor"]
        assert service["environment"].items() >= given.items()
        assert f"--rules=/opt/fleetpulse/rules/{rules}.yaml" in service["command"]


def test_dead_letters_can_go_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    service = composition({"DLQ_TOPIC": "sensor.raw.dlt"})["services"]["submit-monitor"]
    for given, topic in [(service["environment"]["DLQ_TOPIC"], "sensor.raw.dlt"), ("", "telemetry.dlq")]:
        monkeypatch.setenv("DLQ_TOPIC", given)
        assert parse(Telemetry, []).dlq_topic == topic


def test_devices_can_be_set_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = composition({"SENSOR_COUNT": "1000", "SENSOR_INTERVAL": "2s"})["services"]["simulator"]["command"]
    assert {"--num.devices=1000", "--event.interval.ms=2s"} <= set(fleet)
    named = {"SENSOR_TYPE": "vibration", "SENSOR_ID": "press-7", "SAMPLING_INTERVAL": "4s"}
    given = {**named, "FACTORY_SECTION": "hall-1", "MACHINE_ID": "m1", "ZONE": "B"}
    for name, value in composition(given)["services"]["sensors"]["environment"].items():
        monkeypatch.setenv(name, value)
    [one] = sensors_of(parse(Settings, []))
    assert (one.sensor_id, one.kind.name, one.kind.interval_ms) == ("press-7", "vibration", 4_000)
    assert (one.section, one.machine, one.zone) == ("hall-1", "m1", "B")
    for name in given:
        monkeypatch.setenv(name, "")  # as compose sets what nobody gave
    assert len(sensors_of(parse(Settings, []))) == 5


def test_the_registry_is_where_jobs_look_for_it() -> None:
    assert SERVICES["registry"]["environment"]["QUARKUS_HTTP_PORT"] == INSIDE["registry"]
    url = options("submit-monitor")["--schema.registry.url"]
    assert url == f"http://registry:{INSIDE['registry']}/apis/ccompat/v7"
    assert SERVICES["kafka-ui"]["environment"]["KAFKA_CLUSTERS_0_SCHEMAREGISTRY"] == url
    assert {options(name)["--schema.registry.url"] for name in ("submit-archive", "search-avro")} == {url}


@pytest.mark.parametrize("environment", [{}, environment_file("deploy/docker/ha.env")], ids=["one broker", "three"])
def test_topics_and_messages_can_be_browsed_and_not_changed(environment: dict[str, str]) -> None:
    services = composition(environment)["services"]
    shown = services["kafka-ui"]["environment"]
    brokers = shown["KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS"].split(",")
    active = [name for name in services if name.startswith("kafka") and "NODE_ID" in services[name]["environment"]]
    assert brokers == [f"{name}:9092" for name in active[: 3 if environment else 1]]
    assert shown["KAFKA_CLUSTERS_0_READONLY"] == "true"


def test_avro_is_decided_archived_and_indexed() -> None:
    decided, archived = (options(name)["--events.topic"].split(";") for name in ("submit-monitor", "submit-archive"))
    assert decided == archived == ["events", "telemetry.raw", "sensor-data", SENSOR_RAW.name]
    by_vector = (ROOT / "deploy" / "observability" / "vector" / "search.yaml").read_text()
    [in_json] = re.findall(r"topics: \[(.*)\]", by_vector)
    assert [*in_json.split(", "), options("search-avro")["--events.topic"]] == archived
    assert options("search-avro")["--search.url"] == f"http://search:{INSIDE['search']}"


def test_roles_of_the_database_are_those_that_have_a_password() -> None:
    roles = (ROOT / "fleetpulse" / "database" / "migrations" / "0001-roles.sql").read_text()
    with_password = secrets_of("migrate") - {"owner"}
    assert with_password == {"alert_writer", "monitor_user"}
    assert all(f"('{role}', 'LOGIN')" in roles for role in with_password)
    assert SERVICES["postgres-exporter"]["environment"]["DATA_SOURCE_USER"] in with_password
    assert options("submit-archive")["--database.url"].endswith("timescaledb:5432/monitoring")


def test_nothing_that_runs_once_is_needed_before_what_it_needs_itself() -> None:
    def needs(name: str, path: tuple[str, ...] = ()) -> None:
        assert name not in path, path
        for needed in SERVICES[name].get("depends_on", {}):
            needs(needed, (*path, name))

    for name in ONCE:
        needs(name)


def _target(service: str, volume: str) -> str:
    [path] = [v.split(":")[1] for v in SERVICES[service]["volumes"] if v.startswith(f"{volume}:")]
    return str(path)


def _bytes(size: object) -> int:
    text = str(size)
    return int(text[:-1]) << {"m": 20, "g": 30}[text[-1]]
