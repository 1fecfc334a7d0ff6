"""What a stack is asked for when it starts: Prometheus, and cold storage in an object store."""

import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
from kafka import KafkaProducer

from fleetpulse.topics import RULES
from tests.dashboards import expressions
from tests.e2e.embedded import EmbeddedStack, running_stack
from tests.e2e.jobs import PATIENCE_S
from tests.e2e.observed import Prometheus, none_left, pipeline
from tests.e2e.stores import Store, running_store
from tests.e2e.test_cold import Cold
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

COUNT = 5_000
JOBS = ("flink", "kafka", "database", "simulator", "prometheus")


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with running_store() as running:
        running.files.create_dir("cold")
        yield running


@pytest.fixture(scope="module")
def own(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """A stack that reaches the store, and is watched: Flink and Kafka have to know it when they start."""
    with running_stack(tmp_path_factory.mktemp("stack"), frozenset({"prometheus", "s3"})) as running:
        yield running


@pytest.fixture(scope="module")
def watched(own: EmbeddedStack) -> Iterator[Prometheus]:
    with pipeline(own):
        yield Prometheus(own)


def test_prometheus_sees_all_of_a_healthy_pipeline_and_finds_nothing_wrong(watched: Prometheus) -> None:
    wait_until("every target to be up", lambda: watched.targets() == {(job, "up", "") for job in JOBS}, PATIENCE_S)
    wait_until("a value of every recording rule", lambda: none_left(watched.without_value()), PATIENCE_S)
    wait_until("all rules to be evaluated", lambda: none_left(watched.unhealthy()), PATIENCE_S)
    assert watched.firing() == []


def test_every_panel_of_grafana_s_dashboards_has_something_to_show(watched: Prometheus) -> None:
    asked = [expression for expression in expressions() if "vector_" not in expression]  # no Vector runs here
    assert len(asked) > 30
    wait_until("a value for every panel", lambda: none_left(watched.empty(asked)), PATIENCE_S)


def test_an_alert_fires_and_every_listed_metric_was_shown_once_all_has_happened(
    own: EmbeddedStack, watched: Prometheus
) -> None:
    with KafkaProducer(bootstrap_servers=own.bootstrap) as producer:
        producer.send(RULES.name, b"no set of rules", key=b"rules").get(30)
    wait_until("the alert about refused rules", lambda: "RulesRefused" in watched.firing(), PATIENCE_S)
    wait_until("all that is listed to be shown", lambda: watched.shows_all(JOBS), PATIENCE_S)


def test_what_observes_listens_on_the_loopback_interface_only(own: EmbeddedStack, watched: Prometheus) -> None:
    ports = {own.layout.ports[name] for name in ("prometheus", "kafka-metrics", "postgres-metrics")}
    listening = [c.laddr for c in psutil.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    found = {(address.port, address.ip) for address in listening if address.port in ports}
    assert {port for port, _ in found} == ports
    assert {address for _, address in found} <= {"127.0.0.1", "::ffff:127.0.0.1"}


def test_every_record_is_in_the_bucket_once_and_the_secret_nowhere(own: EmbeddedStack, store: Store) -> None:
    cold = Cold(own, "s3://cold/telemetry", store.files)
    with cold.running():
        cold.write(0, COUNT)
        cold.wait_for(COUNT)
    cold.must_have(COUNT)
    assert files_with(store.secret_key, own.dir / "logs") == []
    assert store.secret_key not in requests.get(f"http://{own.flink_rest}/jobmanager/config", timeout=10).text
    assert {stat.S_IMODE(file.stat().st_mode) for file in files_with(store.secret_key, own.dir / "run")} == {0o600}


def files_with(secret: str, folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]
