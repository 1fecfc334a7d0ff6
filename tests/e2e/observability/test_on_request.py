"""A stack that was asked for all it can run: a search server, Prometheus, and an S3 server."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
from click.testing import CliRunner
from confluent_kafka import Producer
from kafka import KafkaProducer
from pyarrow.fs import S3FileSystem

from fleetpulse.cli.main import fleetpulse
from fleetpulse.kafka.schema_registry import Registry
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.records.avro import SCHEMA, encode
from fleetpulse.search.cli import INDEX
from fleetpulse.search.server import SearchServer
from fleetpulse.stack.layout import ports_of
from fleetpulse.stack.passwords import password
from fleetpulse.stack.processes import supervision
from fleetpulse.stack.programs import registry, s3, search
from fleetpulse.topics import RULES, SENSOR_RAW, TELEMETRY
from generator.cli import SENSOR_DATA
from tests.dashboards import expressions
from tests.e2e.jobs.test_cold import Cold
from tests.e2e.support.embedded import EmbeddedStack, running_stack
from tests.e2e.support.observed import Prometheus, none_left, pipeline
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

ASKED_FOR = frozenset({"prometheus", "registry", "s3", "search"})
COUNT = 2_000
JOBS = ("flink", "kafka", "database", "simulator", "prometheus")
OLD_QUERY = {"query": {"range": {"temperature": {"gt": 45}}}, "size": 5}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """A stack of its own: Flink and Kafka have to know of the store and of Prometheus when they start."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "FLEETPULSE_S3_ENDPOINT"):
            environment.delenv(name, raising=False)
        with running_stack(tmp_path_factory.mktemp("stack"), ASKED_FOR) as running:
            yield running


class Index:
    """The index of a stack, and the topics that fill it."""

    def __init__(self, own: EmbeddedStack) -> None:
        self._url = f"{search.url(own.layout)}/{INDEX}"
        self._producer = Producer({"bootstrap.servers": own.bootstrap})

    def send(self, *records: tuple[str, bytes]) -> None:
        for topic, value in records:
            self._producer.produce(topic, value)
        assert self._producer.flush(60) == 0

    def found(self, asked: dict[str, object]) -> list[dict[str, object]]:
        answer = requests.post(f"{self._url}/_search", json=asked, timeout=60)
        answer.raise_for_status()
        return [hit["_source"] for hit in answer.json()["hits"]["hits"]]

    def devices(self, asked: dict[str, object]) -> list[str]:
        return sorted(str(document.get("device_id")) for document in self.found(asked))


@pytest.fixture(scope="module")
def index(own: EmbeddedStack) -> Index:
    schema_id = Registry(registry.url(own.layout)).register("sensor.raw-value", SCHEMA)
    reading = {"device_id": "avro", "ts": 1_767_225_600_000, "temperature_c": 49.0}
    filled = Index(own)
    ensure_topics(own.bootstrap, [SENSOR_DATA, SENSOR_RAW])
    filled.send(
        ("telemetry.raw", b'{"device_id": "telemetry", "ts": 1767225600000, "temperature_c": 46, "humidity": 40}'),
        ("telemetry.raw", b'{"device_id": "cold", "ts": 1767225600000, "temperature_c": 45}'),
        ("telemetry.raw", b'{"device_id": "typed", "event_type": "temperature", "payload": {"value": 47}}'),
        ("sensor-data", sensor("sensor", "temperature", 48.0, "°C")),
        ("sensor-data", sensor("shaking", "vibration", 4.5, "mm/s")),
        ("sensor.raw", encode(schema_id, reading)),
        ("events", b'{"event-id": "e1", "device-id": "event", "time": 1767225600}'),
        ("events", b"no reading at all"),
    )
    return filled


def sensor(sensor_id: str, kind: str, value: float, unit: str) -> bytes:
    place = {"factory_section": "hall-1", "machine_id": "press-2", "zone": "a"}
    fields = {"sensor_id": sensor_id, "timestamp": "2026-01-01T00:00:00", "sensor_type": kind, "location": place}
    return json.dumps(fields | {"value": value, "unit": unit}).encode()


def test_the_old_query_finds_records_of_every_dialect_that_has_a_temperature(index: Index) -> None:
    hot = ["avro", "sensor", "telemetry", "typed"]
    wait_until("all hot devices", lambda: index.devices(OLD_QUERY) == hot)


def test_what_else_a_record_says_is_found_too(index: Index) -> None:
    def one(**asked: object) -> dict[str, object]:
        return wait_until("the record", lambda: index.found({"query": asked}))[0]

    first_second = {"time": {"gte": "2026-01-01T00:00:00Z", "lt": "2026-01-01T00:00:01Z"}}
    wait_until("the event", lambda: "event" in index.devices({"query": {"range": first_second}}))
    shaking = one(range={"vibration_mm_s": {"gt": 4}})
    assert (shaking["site"], shaking["machine"], shaking["zone"]) == ("hall-1", "press-2", "a")
    assert str(shaking["origin"]).startswith("sensor-data:")
    assert one(term={"reason": "malformed"})["text"] == "no reading at all"


def test_a_document_that_the_server_refuses_stops_no_other(own: EmbeddedStack, index: Index) -> None:
    server = SearchServer(search.url(own.layout), INDEX)
    bad = {"origin": "own:0:0", "device_id": "bad", "time": "no time"}
    good = {"origin": "own:0:1", "device_id": "good", "time": "2025-01-01T00:00:00Z"}
    [refused] = server.write([bad, good])
    assert refused.origin == "own:0:0"
    assert "time" in refused.why
    assert server.write([good]) == []
    wait_until("the good one", lambda: len(index.found({"query": {"term": {"device_id": "good"}}})) == 1)


def test_a_server_that_is_killed_comes_back_with_its_documents_and_gets_what_came_meanwhile(
    own: EmbeddedStack, index: Index
) -> None:
    wait_until("a first one", lambda: "telemetry" in index.devices(OLD_QUERY))
    own.kill("search")
    index.send(("telemetry.raw", b'{"device_id": "meanwhile", "temperature_c": 90}'))
    own.kill("indexer")
    own.wait_until_ready()
    wait_until("the new one", lambda: "meanwhile" in index.devices(OLD_QUERY))
    assert "telemetry" in index.devices(OLD_QUERY)


@pytest.fixture(scope="module")
def watched(own: EmbeddedStack) -> Iterator[Prometheus]:
    with pipeline(own):
        yield Prometheus(own)


def test_prometheus_sees_all_of_a_healthy_pipeline_and_finds_nothing_wrong(watched: Prometheus) -> None:
    wait_until("every target to be up", lambda: watched.targets() == {(job, "up", "") for job in JOBS})
    wait_until("a value of every recording rule", lambda: none_left(watched.without_value()))
    wait_until("all rules to be evaluated", lambda: none_left(watched.unhealthy()))
    wait_until("alerts of the start to be over", lambda: none_left(watched.firing()))


def test_every_panel_of_grafana_s_dashboards_has_something_to_show(watched: Prometheus) -> None:
    asked = [expression for expression in expressions() if "vector_" not in expression]  # no Vector runs here
    assert len(asked) > 30
    wait_until("a value for every panel", lambda: none_left(watched.empty(asked)))


def test_retries_of_dead_letters_are_counted(own: EmbeddedStack, watched: Prometheus) -> None:
    def replayed() -> bool:
        words = ["dlq", "replay", "--kafka.bootstrap.servers", own.bootstrap]
        return CliRunner().invoke(fleetpulse, words).stdout.startswith("1 replayed")

    def counted() -> int:
        found = watched.get("query", query='sum(kafka_log_end_offset{topic="telemetry.dlq.ledger"})')["result"]
        return int(found[0]["value"][1]) if found else 0

    with KafkaProducer(bootstrap_servers=own.bootstrap) as producer:
        producer.send(TELEMETRY.name, b"no record").get(60)
    wait_until("the letter to be replayed", replayed)
    wait_until("the retry to be counted", lambda: counted() == 2)  # and the end of its transaction


def test_an_alert_fires_and_every_listed_metric_was_shown_once_all_has_happened(
    own: EmbeddedStack, watched: Prometheus
) -> None:
    with KafkaProducer(bootstrap_servers=own.bootstrap) as producer:
        producer.send(RULES.name, b"no set of rules", key=b"rules").get(60)
    wait_until("the alert about refused rules", lambda: "RulesRefused" in watched.firing())
    wait_until("all that is listed to be shown", lambda: watched.shows_all(JOBS))


def test_all_listens_on_the_loopback_interface_only_even_while_a_job_runs(
    own: EmbeddedStack, watched: Prometheus
) -> None:
    ours = {process.pid for process in supervision.processes(own.layout)}
    listening = [c.laddr for c in psutil.net_connections("inet") if c.status == psutil.CONN_LISTEN and c.pid in ours]
    ports = {own.layout.ports[name] for name in ports_of(own.layout.optional)}
    assert ports <= {address.port for address in listening}
    assert [address for address in listening if address.ip not in ("127.0.0.1", "::ffff:127.0.0.1")] == []


def files(own: EmbeddedStack, access_key: str, secret_key: str) -> S3FileSystem:
    address = own.layout.address("s3")
    return S3FileSystem(access_key=access_key, secret_key=secret_key, endpoint_override=address, scheme="http")


@pytest.fixture
def keys(own: EmbeddedStack) -> tuple[str, str]:
    return password(own.layout, s3.ACCESS_KEY), password(own.layout, s3.SECRET_KEY)


def test_every_record_is_in_the_bucket_once_though_the_store_is_killed_and_the_secret_nowhere(
    own: EmbeddedStack, keys: tuple[str, str]
) -> None:
    cold = Cold(own, f"s3://{s3.BUCKET}/telemetry", files(own, *keys))
    with cold.running():
        cold.write(0, COUNT)
        cold.wait_for(COUNT)
        own.kill("s3")
        cold.write(COUNT, COUNT)
        cold.wait_for(2 * COUNT)
    cold.must_have(2 * COUNT)
    _, secret = keys
    assert files_with(secret, own.dir / "logs") == []
    assert secret not in requests.get(f"http://{own.flink_rest}/jobmanager/config", timeout=60).text
    assert {stat.S_IMODE(file.stat().st_mode) for file in files_with(secret, own.dir / "run")} == {0o600}


def files_with(secret: str, folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]


def test_the_store_refuses_who_has_not_its_keys(own: EmbeddedStack, keys: tuple[str, str]) -> None:
    access_key, secret_key = keys
    with files(own, *keys).open_output_stream(f"{s3.BUCKET}/mine") as out:
        out.write(b"mine")
    for wrong in ((access_key, "wrong"), ("wrong", secret_key)):
        with pytest.raises(OSError, match="ACCESS_DENIED"):
            files(own, *wrong).get_file_info(f"{s3.BUCKET}/mine")
        with pytest.raises(OSError, match=r"SIGNATURE_DOES_NOT_MATCH|INVALID_ACCESS_KEY_ID"):
            files(own, *wrong).open_output_stream(f"{s3.BUCKET}/theirs").close()
    for path in ("", s3.BUCKET, f"{s3.BUCKET}/mine"):
        assert requests.get(f"http://{own.layout.address('s3')}/{path}", timeout=60).status_code == 403
