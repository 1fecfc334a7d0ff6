"""The embedded stack: what dies comes back with its data, and what is stopped is gone."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import requests
from kafka import KafkaConsumer, KafkaProducer

from fleetpulse.cli.commandline import run
from fleetpulse.cli.main import fleetpulse
from fleetpulse.errors import FleetpulseError
from fleetpulse.stack import cli, lifecycle, rest
from fleetpulse.stack.keeper.submissions import remembered
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.processes import supervision
from fleetpulse.stack.programs import postgres
from fleetpulse.topics import TOPICS
from generator.payloads.records import Record
from tests.e2e.support.embedded import EmbeddedStack, free_offset, running_stack
from tests.e2e.support.jobs import Inactivity, Job, inactivity
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

PROGRAMS = ("kafka", "postgres", "jobmanager", "taskmanager", "keeper")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """A stack of this module's own: it is killed and stopped. Its path is longer than a socket's may be."""
    with running_stack(tmp_path_factory.mktemp("a-long-name-" + "x" * 100)) as running:
        yield running


def processes(stack: EmbeddedStack) -> list[psutil.Process]:
    return list(supervision.processes(stack.layout))


def taskmanagers(stack: EmbeddedStack) -> int:
    return int(requests.get(f"http://{stack.flink_rest}/overview", timeout=60).json()["taskmanagers"])


def the_job(stack: EmbeddedStack) -> Job:
    [running] = rest.running_jobs(stack.flink_rest)
    return Job(stack, running.id)


def another(stack: EmbeddedStack, before: str) -> Job | None:
    return next((Job(stack, job.id) for job in rest.running_jobs(stack.flink_rest) if job.id != before), None)


def speak(job: Inactivity, device: str) -> None:
    at_ms = time.time_ns() // 1_000_000
    value = f'{{"event-id":"e","device-id":"{device}","time":{at_ms}}}'
    job.write([Record(at_ms, device.encode(), value.encode(), at_ms)])


def produce(stack: EmbeddedStack, value: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=stack.bootstrap)
    producer.send("events", value).get(timeout=60)
    producer.close()


def consumed(stack: EmbeddedStack) -> list[bytes]:
    consumer = KafkaConsumer(
        "events", bootstrap_servers=stack.bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=5000
    )
    values = [record.value for record in consumer]
    consumer.close()
    return values


def test_up_makes_the_topics_and_the_tables(own: EmbeddedStack) -> None:
    consumer = KafkaConsumer(bootstrap_servers=own.bootstrap)
    partitions = {topic.name: len(consumer.partitions_for_topic(topic.name) or ()) for topic in TOPICS}
    consumer.close()
    assert partitions == {topic.name: topic.partitions for topic in TOPICS}
    with psycopg.connect(own.database_dsn) as database:
        assert database.execute("SELECT count(*) FROM alerts").fetchone() == (0,)


def test_people_log_in_as_monitor_user_to_the_database_monitoring(own: EmbeddedStack) -> None:
    with psycopg.connect(postgres.dsn(own.layout, "monitor_user")) as database:
        assert database.execute("SELECT current_database(), session_user").fetchone() == ("monitoring", "monitor_user")
        assert database.execute("SELECT count(*) FROM alerts").fetchone() == (0,)


def test_up_again_changes_nothing(own: EmbeddedStack) -> None:
    before = {name: own.pid(name) for name in PROGRAMS}
    own.wait_until_ready()
    assert {name: own.pid(name) for name in PROGRAMS} == before


def test_other_ports_are_refused_and_nothing_restarts(
    own: EmbeddedStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {name: own.pid(name) for name in PROGRAMS}
    monkeypatch.setenv("FLEETPULSE_PORT_OFFSET", str(free_offset()))
    for command in (["stack", "up"], ["demo"]):
        assert run(fleetpulse, [*command, "--dir", str(own.dir)]) == 2
        error = capsys.readouterr().err
        assert f"runs at offset {own.layout.port_offset} (" in error
        assert "; no job runs)" in error
        assert [name for name in PROGRAMS if name not in error] == []
        assert error.count("\n") == 1
    assert run(fleetpulse, ["stack", "status", "--dir", str(own.dir)]) == 0
    assert own.bootstrap in capsys.readouterr().out
    assert {name: own.pid(name) for name in PROGRAMS} == before


def test_everything_listens_on_the_loopback_interface_only(own: EmbeddedStack) -> None:
    ours = {process.pid: process.name() for process in processes(own)}
    listening = [c for c in psutil.net_connections("inet") if c.status == psutil.CONN_LISTEN and c.pid in ours]
    assert listening
    assert [(ours[c.pid], c.laddr) for c in listening if c.laddr[0] not in ("127.0.0.1", "::ffff:127.0.0.1")] == []


def test_what_is_killed_comes_back_with_its_data(own: EmbeddedStack) -> None:
    produce(own, b"before")
    with psycopg.connect(own.database_dsn) as database:
        database.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    for name in PROGRAMS:
        own.kill(name)
    own.wait_until_ready()
    wait_until("the TaskManager to register again", lambda: taskmanagers(own) >= 1)
    wait_until("the record", lambda: b"before" in consumed(own))
    with psycopg.connect(own.database_dsn) as database:
        assert database.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_without_its_supervisor_up_starts_anew_with_the_data(own: EmbeddedStack) -> None:
    [supervisor] = [p for p in processes(own) if "supervisor.supervisord" in p.cmdline()]
    os.kill(supervisor.pid, signal.SIGKILL)
    supervisor.wait(10)
    own.wait_until_ready()
    with psycopg.connect(own.database_dsn) as database:
        assert database.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_second_stack_runs_beside_the_first(own: EmbeddedStack, stack: EmbeddedStack) -> None:
    assert own.pid("kafka") != stack.pid("kafka") != 0
    produce(own, b"only here")
    assert b"only here" not in consumed(stack)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    other = Layout(tmp_path / "other", free_offset())
    port = other.ports["kafka"]
    refused = pytest.raises(FleetpulseError, match=f"port {port} is taken .* and kafka needs it")
    with socket.create_server(("127.0.0.1", port)), refused:
        list(lifecycle.up(other))


def test_a_job_comes_back_after_its_jobmanager_and_after_the_whole_stack(own: EmbeddedStack) -> None:
    job = inactivity(own)
    quick = ["--timeout.ms", "6000", "--evaluation.period.ms", "2000", "--idle.timeout.ms", "3000"]
    quick += ["--reconnect.grace.ms", "2000"]
    submit = ["submit", job.job, "--dir", str(own.dir), "--", *job.arguments(), *quick]
    assert run(cli.command, submit) == 0
    first = the_job(own)
    speak(job, "d1")
    wait_until("an alert", job.alerts)
    own.kill("jobmanager")
    second = wait_until("the job to be submitted again", lambda: another(own, first.id))
    second.wait_until_started()
    assert rest.restored_from(own.flink_rest, second.id)
    speak(job, "d1")
    speak(job, "d2")
    wait_until("another alert", lambda: len({alert.device_id for alert in job.alerts()}) == 2)
    lifecycle.down(own.layout)
    own.wait_until_ready()
    third = wait_until("the job to be submitted again", lambda: another(own, second.id))
    third.wait_until_started()
    assert rest.restored_from(own.flink_rest, third.id)
    speak(job, "d2")
    wait_until("its recovery", lambda: [a for a in job.alerts() if (a.device_id, a.state) == ("d2", "recovered")])
    revisions = [(alert.alert_id, alert.revision) for alert in job.alerts()]
    assert len(revisions) == len(set(revisions))
    assert run(cli.command, ["savepoint", job.job, "--stop", "--dir", str(own.dir)]) == 0
    assert list(remembered(own.layout)) == []


def test_down_leaves_no_process(own: EmbeddedStack) -> None:
    """Last in this module, since it stops the module's stack."""
    assert processes(own)
    lifecycle.down(own.layout)
    assert processes(own) == []
    assert supervision.statuses(own.layout) == []
    assert lifecycle.down(own.layout) is False
