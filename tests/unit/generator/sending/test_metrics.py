"""What the simulator shows Prometheus of itself."""

import socket
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from fleetpulse.errors import FleetpulseError
from generator.scenario import Scenario
from generator.sending.metrics import NOWHERE, Address, Meter, served
from tests.unit.generator.sending.test_produce import Sending, record

PLAN = Scenario(seed=1, devices=7, interval_ms=10.0, start_ms=1_000, duration_ms=60_000)
EXPOSED = Path("deploy/observability/prometheus/exposed/simulator.txt")


class Metered(Sending):
    """A sender whose figures are shown at a time of one's own."""

    def __init__(self):
        super().__init__()
        self.now_ms = 1_000.0
        self.meter = Meter(lambda: self.now_ms)

    def shown(self):
        return {sample.name: sample.value for metric in self.meter.collect() for sample in metric.samples}


@pytest.fixture
def sending():
    made = Metered()
    made.meter.watch(made.sender, PLAN)
    return made


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def listening():
    """The ports at which this process listens."""
    connections = psutil.Process().net_connections("tcp")
    return {connection.laddr.port for connection in connections if connection.status == psutil.CONN_LISTEN}


def test_a_simulation_that_has_not_begun_shows_nothing():
    assert Metered().shown() == {}


def test_what_is_sent_is_counted_with_its_bytes_and_what_is_acknowledged_apart(sending):
    sending.client.there = False
    sending.sender.send(record(1))
    sending.sender.send(record(2))
    assert sending.shown() == {
        "fleetpulse_generator_records_sent_total": 2,
        "fleetpulse_generator_records_acknowledged_total": 0,
        "fleetpulse_generator_records_failed_total": 0,
        "fleetpulse_generator_bytes_sent_total": 2 * len("d1" + "1"),
        "fleetpulse_generator_records_waiting": 2,
        "fleetpulse_generator_devices": 7,
        "fleetpulse_generator_lag_seconds": 0,
    }
    sending.client.there = True
    sending.sender.serve(0)
    assert sending.shown()["fleetpulse_generator_records_acknowledged_total"] == 2
    assert sending.shown()["fleetpulse_generator_records_waiting"] == 0


def test_what_kafka_refuses_is_counted(sending):
    sending.client.refuses = True
    sending.sender.send(record(1))
    sending.sender.serve(0)
    assert sending.shown()["fleetpulse_generator_records_failed_total"] == 1
    assert sending.shown()["fleetpulse_generator_records_acknowledged_total"] == 0


def test_who_waits_for_the_next_record_is_not_behind(sending):
    sending.sender.send(record(0))
    sending.now_ms = 6_000
    assert sending.shown()["fleetpulse_generator_lag_seconds"] == 5
    sending.meter.on_time()
    assert sending.shown()["fleetpulse_generator_lag_seconds"] == 0


def test_figures_have_the_topic_and_the_dialect(sending):
    labels = [sample.labels for metric in sending.meter.collect() for sample in metric.samples]
    assert labels == [{"topic": "t", "dialect": "event"}] * 7


def test_they_are_served_as_long_as_the_simulation_lasts_under_the_listed_names(sending, port):
    with served(sending.meter, Address("127.0.0.1", port)), urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    names = {sample.name for family in families for sample in family.samples}
    assert names == set(EXPOSED.read_text().split())
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port))


def test_two_simulators_may_run_side_by_side_without_metrics(sending, port):
    before = listening()
    with served(sending.meter, NOWHERE), served(sending.meter, NOWHERE):
        assert listening() == before
    with served(sending.meter, Address("127.0.0.1", port)):
        assert listening() == before | {port}


def test_a_port_that_is_taken_is_named(sending, port):
    with (
        served(sending.meter, Address("127.0.0.1", port)),
        pytest.raises(FleetpulseError, match=f"127.0.0.1:{port} .*another --metrics.port, or 0"),
        served(sending.meter, Address("127.0.0.1", port)),
    ):
        pytest.fail("a second one is served at the same port")
