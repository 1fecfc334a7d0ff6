import time
from itertools import islice

import pytest

from fleetpulse.cli.commandline import run as run_command
from generator import cli
from generator.fleet.plan import readings
from generator.run import Outcome
from generator.scenario import ENDLESS_MS, Dialect
from tests.unit.generator.fleets import START_MS

TOPIC_VARIABLES = ("TELEMETRY_TOPIC", "SENSOR_TOPIC", "FLEETPULSE_TOPIC")


@pytest.fixture
def started(monkeypatch):
    """What the command would run, instead of running it."""
    calls = []

    def run(scenario, bootstrap, topic, prepare, truth_path, metrics):
        calls.append((scenario(), bootstrap, topic, truth_path, metrics))
        return Outcome(acknowledged=5, seconds=1.0)

    for name in (
        "KAFKA_BROKERS",
        "KAFKA_BOOTSTRAP_SERVERS",
        "SENSOR_COUNT",
        "SENSOR_INTERVAL",
        "METRICS_HOST",
        "METRICS_PORT",
        *TOPIC_VARIABLES,
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cli, "run", run)
    return calls


def scenario_of(started, *argv):
    assert run_command(cli.command, list(argv)) == 0
    return started[-1][0]


def test_the_defaults_are_the_contract_s(started):
    scenario = scenario_of(started)

    assert started[-1][2:] == ("events", None, ("127.0.0.1", 0))
    assert (scenario.devices, scenario.interval_ms, scenario.duration_ms) == (10, 10, 60_000)
    assert scenario.failure_probability == 0.1
    assert abs(scenario.start_ms - time.time() * 1000) < 5_000


@pytest.mark.parametrize(
    ("dialect", "topic"),
    [
        ("event", "events"),
        ("telemetry", "telemetry.raw"),
        ("sensor", "sensor-data"),
        ("typed", "telemetry.raw"),
        ("mixed", "telemetry.raw"),
    ],
)
def test_each_dialect_has_a_usual_topic(started, dialect, topic):
    assert scenario_of(started, "--dialect", dialect).dialect is Dialect(dialect)
    assert started[-1][2] == topic
    scenario_of(started, "--topic", "mine", "--dialect", dialect)
    assert started[-1][2] == "mine"


@pytest.mark.parametrize(
    ("dialect", "topics"),
    [
        ("event", ["general", "mine"]),
        ("telemetry", ["telemetry", "mine"]),
        ("sensor", ["sensors", "mine"]),
        ("typed", ["telemetry", "mine"]),
        ("mixed", ["telemetry", "mine"]),
    ],
)
def test_the_named_variables_of_topics_are_for_the_dialects_that_go_there(started, monkeypatch, dialect, topics):
    for name, value in zip(TOPIC_VARIABLES, ("telemetry", "sensors", "general"), strict=True):
        monkeypatch.setenv(name, value)
    scenario_of(started, "--dialect", dialect)
    scenario_of(started, "--dialect", dialect, "--topic", "mine")

    assert [call[2] for call in started] == topics


def test_a_topic_s_variable_is_checked_too(started, monkeypatch, capsys):
    monkeypatch.setenv("TELEMETRY_TOPIC", "a b")

    assert run_command(cli.command, ["--dialect", "telemetry"]) == 2
    assert "'a b' is no topic name" in capsys.readouterr().err


def test_faults_in_the_values_are_off_and_can_be_asked_for(started):
    usual = scenario_of(started)
    faulty = scenario_of(
        started,
        *("--spike.rate", "0.1", "--stuck.probability", "0.2", "--drift.per-day", "3"),
        *("--warning.share", "0.4", "--critical.share", "0.5", "--located.share", "0.6"),
    )

    assert (usual.spike_rate, usual.stuck_probability, usual.drift_per_day, usual.located_share) == (0, 0, 0, 0)
    assert (usual.warning_share, usual.critical_share) == (0.15, 0.05)
    assert (faulty.spike_rate, faulty.stuck_probability, faulty.drift_per_day) == (0.1, 0.2, 3)
    assert (faulty.warning_share, faulty.critical_share, faulty.located_share) == (0.4, 0.5, 0.6)


def test_avro_is_registered_before_anything_is_sent(started, monkeypatch):
    registered = []

    class Registry:
        def __init__(self, url):
            self.url = url

        def register(self, subject, schema):
            assert not started
            registered.append((self.url, subject, schema["name"]))
            return 42

    monkeypatch.setattr(cli, "Registry", Registry)
    monkeypatch.setattr(cli, "refusal", lambda _addresses: None)
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", "http://registry:8085")
    scenario = scenario_of(started, "--dialect", "avro")

    assert (scenario.dialect, scenario.schema_id) == (Dialect.AVRO, 42)
    assert started[-1][2] == "sensor.raw"
    assert registered == [("http://registry:8085", "sensor.raw-value", "SensorReading")]


def test_a_rate_over_the_fleet_sets_the_interval(started):
    assert scenario_of(started, "--num.devices", "1000", "--rate", "5000").interval_ms == 200


def test_a_backfill_lies_before_now_and_the_live_part_after(started):
    scenario = scenario_of(started, "--backfill", "10m", "--duration.seconds", "30")

    assert scenario.duration_ms == 630_000
    assert abs(scenario.end_ms - 30_000 - time.time() * 1000) < 5_000


def test_flat_out_is_all_history(started):
    scenario = scenario_of(started, "--rate", "0", "--duration.seconds", "30")

    assert scenario.interval_ms == 10
    assert abs(scenario.end_ms - time.time() * 1000) < 5_000


def test_a_fixed_start_is_kept(started):
    assert scenario_of(started, "--start", "2026-01-01T00:00:00Z").start_ms == START_MS


def test_arguments_come_before_named_variables_and_those_before_the_general_ones(started, monkeypatch):
    monkeypatch.setenv("FLEETPULSE_NUM_DEVICES", "3")
    assert scenario_of(started).devices == 3
    monkeypatch.setenv("SENSOR_COUNT", "4")
    assert scenario_of(started).devices == 4
    assert scenario_of(started, "--num.devices", "5").devices == 5


@pytest.mark.parametrize("more", [(), ("--backfill.seconds", "10m")], ids=["from now on", "after a history"])
def test_it_may_go_on_until_it_is_stopped(started, more):
    scenario = scenario_of(started, "--duration.seconds", "forever", "--failure.probability", "0.5", *more)
    assert scenario.duration_ms == ENDLESS_MS
    assert len(list(islice(readings(scenario), 1_000))) == 1_000


def test_the_named_variables_are_read(started, monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "b:2")
    monkeypatch.setenv("SENSOR_INTERVAL", "2s")
    assert scenario_of(started).interval_ms == 2_000
    assert started[-1][1] == "b:2"
    monkeypatch.setenv("KAFKA_BROKERS", "a:1,c:3")
    scenario_of(started)
    assert started[-1][1] == "a:1,c:3"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--rate", "-1"], "'-1': expected a number from 0 to 1,000,000,000"),
        (["--rate", "fast"], "'fast': expected a number"),
        (["--num.devices", "0"], "'0': expected a whole number from 1 to"),
        (["--num.devices", "1e3"], "'1e3': expected a whole number from 1 to"),
        (["--event.interval.ms", "0"], "'0' is not in the range more than 0s to"),
        (["--event.interval.ms", "2 seconds"], "'2 seconds' is not a duration like 500ms, 2s, 10m, 1h"),
        (["--duration.seconds", "-5"], "'-5' is not a duration"),
        (["--duration.seconds", "0"], "nothing to send: duration and backfill are both 0"),
        (["--duration.seconds", "for ever"], "'for ever' is not a duration"),
        (["--duration.seconds", "forever", "--rate", "0"], "--duration.seconds cannot be forever"),
        (["--failure.probability", "1.5"], "'1.5': expected a number from 0 to 1"),
        (["--backfill", "ten"], "'ten' is not a duration"),
        (["--backfill", "1m", "--start", "2026-01-01"], "--start and --backfill.seconds exclude each other"),
        (["--start", "tomorrow"], "'tomorrow' is neither ISO 8601"),
        (["--start", "2999-01-01"], "--start lies in the future"),
        (["--dialect", "xml"], "'xml' is not one of 'event', 'telemetry', 'sensor', 'typed', 'mixed', 'avro'"),
        (["--spike.rate", "2"], "'2': expected a number from 0 to 1"),
        (["--drift.per-day", "inf"], "'inf': expected a number from 0 to 1,000"),
        (["--drift.per-day", "nan"], "'nan': expected a number from 0 to 1,000"),
        (["--warning.share", "0.6", "--critical.share", "0.6"], "shares of warning and critical add up to more than 1"),
        (["--seed", "x"], "'x': expected a whole number from 0"),
        (["--topic", "a b"], "'a b' is no topic name"),
        (["--kafka.bootstrap.servers", "broker"], "'broker' is not host:port"),
        (["--kafka.bootstrap.servers", "a:1,"], "'a:1,' is not host:port"),
        (["--late.rate", "0.12", "--duplicate.rate", "0.6"], "add up to 1.2, more than 1"),
        (["--clock-ahead.devices", "11"], "11 devices with a wrong clock in a fleet of 10"),
        (["--site-outage.seconds", "10m"], "a site outage must be shorter than ten timeouts"),
        (["--timeout.seconds", "0"], "is not in the range 1ms to"),
        (["--evaluation-period.seconds", "0"], "is not in the range 1ms to"),
        (["--schema.registry.url", "registry:8085"], "is no URL like"),
        (["--unknown", "1"], "No such option"),
    ],
)
def test_bad_input_is_one_line_and_starts_nothing(started, capsys, argv, message):
    assert run_command(cli.command, argv) == 2
    error = capsys.readouterr().err

    assert message in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert started == []


def test_a_truth_file_that_cannot_be_written_is_told_before_kafka_is_asked(capsys, tmp_path):
    assert run_command(cli.command, ["--truth", str(tmp_path / "no" / "t"), "--kafka.bootstrap.servers", "b:1"]) == 2
    assert "--truth: cannot write" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("outcome", "exit_code", "printed", "error"),
    [
        (Outcome(2_000, seconds=2.0), 0, "2,000 records acknowledged in events, 2.0 s, 1,000/s", ""),
        (Outcome(7, seconds=1.0, interrupted=True), 130, "interrupted: 7 records acknowledged", ""),
        (Outcome(7, 2, "no", 1.0), 1, "7 records acknowledged", "error: 2 records were not acknowledged: no"),
        (Outcome(7, 2, "no", 1.0, True), 130, "interrupted: 7", "2 records were not acknowledged: no"),
    ],
    ids=["whole", "interrupted", "failed", "interrupted-and-failed"],
)
def test_the_end_says_how_many_were_acknowledged(monkeypatch, capsys, outcome, exit_code, printed, error):
    monkeypatch.setattr(cli, "run", lambda *_, **__: outcome)

    assert run_command(cli.command, []) == exit_code
    captured = capsys.readouterr()
    assert printed in captured.out
    assert captured.err.startswith(error)


def test_metrics_are_served_where_it_is_asked_for(started, monkeypatch):
    monkeypatch.setenv("METRICS_PORT", "2112")
    scenario_of(started)
    assert started[-1][4] == ("127.0.0.1", 2112)
    scenario_of(started, "--metrics.port", "0", "--metrics.host", "0.0.0.0")
    assert started[-1][4] == ("0.0.0.0", 0)
