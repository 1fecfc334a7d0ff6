import json
import re
import time
from pathlib import Path

import click
import pytest

from fleetpulse.cli.commandline import run as run_command
from generator import sensors
from generator.fleet.factory import KINDS
from generator.run import Outcome
from generator.scenario import ENDLESS_MS
from generator.sensors import each_at_its_pace

VARIABLES = (
    *("KAFKA_BROKERS", "KAFKA_BOOTSTRAP_SERVERS", "SENSOR_TOPIC", "SENSOR_ID", "SENSOR_TYPE"),
    *("SAMPLING_INTERVAL", "FACTORY_SECTION", "MACHINE_ID", "ZONE", "FLEETPULSE_TOPIC"),
)


@pytest.fixture
def started(monkeypatch):
    """What the command would run, instead of running it."""
    calls = []

    def run(scenario, bootstrap, topic, prepare, stream, metrics):
        calls.append((scenario(), bootstrap, topic, stream))
        return Outcome(acknowledged=5, seconds=1.0)

    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sensors, "run", run)
    return calls


ONE = ("--sensor.type", "energy", "--duration.seconds", "200")


def fleet_of(started, *argv):
    assert run_command(sensors.command, list(argv)) == 0
    return started[-1][0]


def said(fleet, stopped=lambda: False):
    """What the sensors of a fleet say, with how many milliseconds after the start."""
    stream = each_at_its_pace(fleet, None, stopped)
    return [(record.send_ms - fleet.start_ms, json.loads(record.value)) for record in stream]


def test_without_arguments_it_is_one_sensor_of_each_type_until_somebody_stops_it(started):
    fleet = fleet_of(started)

    assert started[-1][2] == "sensor-data"
    assert [sensor.kind for sensor in fleet.sensors] == list(KINDS)
    assert len({sensor.sensor_id for sensor in fleet.sensors}) == 5
    assert fleet.duration_ms == ENDLESS_MS
    assert abs(fleet.start_ms - time.time() * 1000) < 5_000


def test_their_topic_is_made_with_three_partitions(monkeypatch):
    made = []
    monkeypatch.setattr(sensors, "ensure_topics", lambda _brokers, topics: made.extend(topics))
    monkeypatch.setattr(sensors, "run", lambda _scenario, _brokers, _topic, prepare, **_: prepare() or Outcome())

    assert run_command(sensors.command, []) == 0
    assert [(topic.name, topic.partitions) for topic in made] == [("sensor-data", 3)]


def test_each_type_speaks_at_its_own_pace(started):
    times = {}
    for at_ms, value in said(fleet_of(started, "--duration.seconds", "20")):
        times.setdefault(value["sensor_type"], []).append(at_ms // 1000)

    assert times == {
        "temperature": [0, 3, 6, 9, 12, 15, 18],
        "vibration": [0, 4, 8, 12, 16],
        "energy": [0, 10],
        "humidity": [0, 5, 10, 15],
        "pressure": [0, 5, 10, 15],
    }


def test_records_come_in_order(started):
    times = [at_ms for at_ms, _ in said(fleet_of(started, "--duration.seconds", "60"))]

    assert times == sorted(times)


def test_the_named_variables_make_one_sensor(started, monkeypatch):
    for name, value in [
        ("KAFKA_BROKERS", "a:1,b:2"),
        ("SENSOR_TOPIC", "mine"),
        ("SENSOR_ID", 'press "7"'),
        ("SENSOR_TYPE", "vibration"),
        ("SAMPLING_INTERVAL", "0.5"),
        ("FACTORY_SECTION", "Halle Süd"),
        ("MACHINE_ID", "m7"),
        ("ZONE", "Z"),
    ]:
        monkeypatch.setenv(name, value)
    values = said(fleet_of(started, "--duration.seconds", "2"))

    assert started[-1][1:3] == ("a:1,b:2", "mine")
    assert [at_ms for at_ms, _ in values] == [0, 500, 1_000, 1_500]
    assert {(v["sensor_id"], v["sensor_type"], v["unit"]) for _, v in values} == {('press "7"', "vibration", "mm/s")}
    assert values[0][1]["location"] == {"factory_section": "Halle Süd", "machine_id": "m7", "zone": "Z"}
    assert [v["metadata"]["reading_count"] for _, v in values] == [1, 2, 3, 4]


def test_the_key_is_the_sensor_s_id(started):
    keys = {
        record.key for record in each_at_its_pace(fleet_of(started, "--sensor.id", "s1", *ONE), None, lambda: False)
    }

    assert keys == {b"s1"}


def test_the_topic_of_telemetry_is_not_theirs(started, monkeypatch):
    monkeypatch.setenv("TELEMETRY_TOPIC", "other")
    fleet_of(started)

    assert started[-1][2] == "sensor-data"


def test_two_sensors_of_a_type_do_not_measure_the_same(started):
    one, other = ([v["value"] for _, v in said(fleet_of(started, "--sensor.id", name, *ONE))] for name in ("s1", "s2"))

    assert len(one) == len(other) == 20
    assert one != other


def test_stopping_ends_all_of_them_though_the_next_reading_of_each_is_known(started):
    stopped = iter([False] * 12 + [True] * 100)
    fleet = fleet_of(started)

    assert len(said(fleet, lambda: next(stopped))) < 12


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            ["--sensor.type", "noise"],
            "'noise' is not one of 'temperature', 'vibration', 'energy', 'humidity', 'pressure'",
        ),
        (["--sensor.id", "s1"], "--sensor.id names one sensor: say its --sensor.type as well"),
        (["--sensor.id", "a\nb", "--sensor.type", "energy"], "is no name: 1-128 characters"),
        (["--zone", ""], "is no name: 1-128 characters"),
        (["--sampling.interval", "0"], "is not in the range 1ms to"),
        (["--duration.seconds", "long"], "'long' is not a duration"),
        (["--topic", "a b"], "'a b' is no topic name"),
        (["--kafka.bootstrap.servers", "broker"], "'broker' is not host:port"),
    ],
)
def test_bad_input_is_one_line_and_starts_nothing(started, capsys, argv, message):
    assert run_command(sensors.command, argv) == 2
    error = capsys.readouterr().err

    assert message in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert started == []


def test_the_end_says_how_many_were_acknowledged(started, capsys):
    fleet_of(started)

    assert "5 records acknowledged in sensor-data, 1.0 s, 5/s" in capsys.readouterr().out


def test_the_table_of_arguments_names_all_there_are_and_no_other():
    page = Path(__file__).parents[3] / "docs" / "simulator.md"
    section = page.read_text().split("\n## Sensors of a factory\n")[1].split("\n## ")[0]
    named = set(re.findall(r"^\| `(--[\w.-]+)` \|", section, re.MULTILINE))

    assert named == {option.opts[0] for option in sensors.command.params if isinstance(option, click.Option)}
