"""What the jobs read from the environment."""

import tempfile
from types import ModuleType

import click
import pytest

from fleetpulse.cli.settings import parse
from fleetpulse.deadletters.simulate import simulate_command
from fleetpulse.durations import DurationMs
from fleetpulse.rules.kinds.inactivity import Inactivity
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.versions import Version
from fleetpulse.search.cli import command as index
from fleetpulse.stack.demo.load import command as load
from jobs import aggregate, anomaly, archive, cold, inactivity, monitor
from jobs.inactivity import DECISIONS
from jobs.wiring.arguments import Settings
from jobs.wiring.deciding import Decisions, Plan, plan

BROKERS = ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BROKERS", "FLEETPULSE_KAFKA_BOOTSTRAP_SERVERS")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*BROKERS, "DLQ_TOPIC", "TELEMETRY_TOPIC", "SCHEMA_REGISTRY_URL"):
        monkeypatch.delenv(name, raising=False)


def given(decisions: Decisions, *arguments: str) -> Settings:
    return parse(Settings, arguments, decisions.without)


def planned(*arguments: str) -> Plan:
    return plan(DECISIONS, given(DECISIONS, *arguments), partitions=3)


def brokers_of(job: ModuleType, *arguments: str) -> str:
    if job is archive:
        return parse(archive.Settings, arguments).bootstrap_servers
    return given(job.DECISIONS, *arguments).telemetry.bootstrap_servers


def test_the_defaults_are_those_of_the_monitor_before() -> None:
    settings = given(DECISIONS)
    assert settings.telemetry.topics == ("events",)
    assert settings.alerts is not None
    assert settings.alerts.topic == "alerts"
    assert settings.running.checkpoint_dir == f"file://{tempfile.gettempdir()}/flink-checkpoints"
    assert (settings.running.parallelism, settings.running.checkpoint_interval_ms) == (2, 10_000)
    words = ["--kafka.bootstrap.servers", "b:1", "--events.topic", "e", "--alerts.topic", "a"]
    asked = planned(*words, "--checkpoint.dir", "file:///c", "--parallelism", "3")
    assert (asked.source.bootstrap_servers, asked.source.topics, asked.output_topics.alerts) == ("b:1", ("e",), "a")
    assert asked.flink["execution.checkpointing.dir"].startswith("file:///c/")
    assert asked.flink["parallelism.default"] == "3"


@pytest.mark.parametrize("job", [inactivity, archive], ids=["inactivity", "archive"])
@pytest.mark.parametrize("variable", BROKERS)
def test_the_brokers_may_come_from_the_environment(
    job: ModuleType, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "a:9092,b:9094,c:9096")
    assert brokers_of(job) == "a:9092,b:9094,c:9096"
    assert brokers_of(job, "--kafka.bootstrap.servers", "mine:1") == "mine:1"


def test_the_inactivity_job_reads_and_writes_at_all_brokers_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BROKERS", "a:9092,b:9094,c:9096")
    job = planned()
    assert job.source.bootstrap_servers == job.sink.bootstrap_servers == "a:9092,b:9094,c:9096"


def test_the_topic_of_dead_letters_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert planned().output_topics.dead_letters == "telemetry.dlq"
    monkeypatch.setenv("DLQ_TOPIC", "my.dlq")
    assert planned().output_topics.dead_letters == "my.dlq"
    assert planned("--dlq.topic", "another.dlq").output_topics.dead_letters == "another.dlq"


def test_the_topic_to_read_and_the_registry_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (planned().source.topics, planned().source.registry_url) == (("events",), None)
    monkeypatch.setenv("TELEMETRY_TOPIC", "telemetry.raw;sensor.raw")
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", "http://localhost:8085/apis/ccompat/v7")
    assert planned().source.topics == ("telemetry.raw", "sensor.raw")
    assert planned().source.registry_url == "http://localhost:8085/apis/ccompat/v7"


@pytest.mark.parametrize(
    ("command", "parameter"),
    [
        (archive.command, "events_topic"),
        (cold.command, "events_topic"),
        (index, "events_topic"),
        (load, "topic"),
        (simulate_command, "topic"),
    ],
    ids=["archive", "cold", "index", "load", "dlq simulate"],
)
def test_every_program_reads_the_topic_of_telemetry_from_its_variable(
    command: click.Command, parameter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEMETRY_TOPIC", "mine")
    monkeypatch.setenv("FLEETPULSE_COLD_PATH", "file:///cold")
    given = command.make_context("program", []).params[parameter]
    assert given in ("mine", ("mine",))


@pytest.mark.parametrize("job", [anomaly, monitor], ids=["anomaly", "monitor"])
def test_alerts_and_dead_letters_go_where_they_are_told(job: ModuleType) -> None:
    topics = ["--alerts.topic", "sensor.alert", "--dlq.topic", "sensor.raw.dlt"]
    output_topics = plan(job.DECISIONS, given(job.DECISIONS, *topics), 3).output_topics
    assert (output_topics.alerts, output_topics.dead_letters) == ("sensor.alert", "sensor.raw.dlt")


def test_a_job_reads_rules_and_makes_windows_only_where_it_decides_by_them() -> None:
    plans = {job: plan(job.DECISIONS, given(job.DECISIONS), 3) for job in (inactivity, anomaly, aggregate, monitor)}
    assert [p.source.rules_topic for p in plans.values()] == ["rules", "rules", None, "rules"]
    assert [p.output_topics.aggregates for p in plans.values()] == [None, None, "telemetry.agg.1m", "telemetry.agg.1m"]
    assert [p.policy.measured for p in plans.values()] == [False, True, True, True]
    assert plan(aggregate.DECISIONS, given(aggregate.DECISIONS, "--window", "10s"), 3).output_topics.topics == [
        "telemetry.late",
        "telemetry.dlq",
        "telemetry.agg.10s",
    ]


def discovery_ms(*arguments: str, rule_timeout_ms: int | None = None) -> int:
    rules = RuleSet(() if rule_timeout_ms is None else (Inactivity(id="fast", timeout=DurationMs(rule_timeout_ms)),))
    return plan(DECISIONS, given(DECISIONS, *arguments), 3, (Version(1, 0, rules),)).source.discovery_interval_ms


def test_new_partitions_are_looked_for_in_time_before_who_writes_to_them_is_taken_for_silent() -> None:
    assert discovery_ms() == 10_000
    assert discovery_ms("--timeout.ms", "12000") == 3_000
    assert discovery_ms(rule_timeout_ms=8_000) == 2_000
    assert discovery_ms("--timeout.ms", "1") == 1_000  # brokers are not asked more often
    assert discovery_ms("--timeout.ms", "12000", "--partition.discovery.interval.ms", "1500") == 1_500


def test_who_watches_for_no_silence_looks_for_new_partitions_as_often_as_it_is_asked_to() -> None:
    asked = given(anomaly.DECISIONS, "--partition.discovery.interval.ms", "60000")
    assert plan(anomaly.DECISIONS, asked, 3).source.discovery_interval_ms == 60_000
