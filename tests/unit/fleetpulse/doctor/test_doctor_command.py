"""`fleetpulse doctor` answers soon, whether anything runs or not, and changes nothing."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fleetpulse.cli.commandline import run
from fleetpulse.cli.main import fleetpulse
from fleetpulse.doctor import asking
from fleetpulse.doctor.findings import Finding, fault, ok
from fleetpulse.errors import FleetpulseError

MACHINE = ["python", "memory", "disk", "ports", "stack"]
NAMES = [*MACHINE, "broker", "topics", "telemetry", "rules", "registry", "jobs", "database"]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("KAFKA_BROKERS", "KAFKA_BOOTSTRAP_SERVERS", "FLEETPULSE_DIR", "SCHEMA_REGISTRY_URL", "FLINK_REST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FLEETPULSE_PORT_OFFSET", "51000")  # where nothing listens
    monkeypatch.chdir(tmp_path)


def lines(capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[str, str]]:
    found = (line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines())
    return {name: (state, line) for state, name, line in found}


def test_where_nothing_runs_it_says_what_to_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(fleetpulse, ["doctor"]) == 1
    found = lines(capsys)
    assert list(found) == NAMES
    assert found["broker"] == ("fault", "none is named; start the stack with `make stack-up`")
    assert found["jobs"] == ("warning", "not looked at: name Flink with --flink.rest, or `make stack-up`")
    assert found["database"] == ("warning", "not looked at: name it with --database.url, or `make stack-up`")
    assert list(tmp_path.iterdir()) == []


def test_named_brokers_are_looked_at_without_a_stack(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(fleetpulse, ["doctor", "--kafka.bootstrap.servers", "127.0.0.1:1"]) == 1
    found = lines(capsys)
    assert not found.keys() & {"ports", "stack", "memory", "disk"}
    assert found["broker"] == (
        "fault",
        "none answers at 127.0.0.1:1: Connection refused; is it up, and is the address right?",
    )
    assert found["jobs"] == ("warning", "not looked at: name Flink with --flink.rest, or `make stack-up`")


def test_the_topics_of_telemetry_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def kafka(_servers: str, telemetry: object, _what_to_do: str) -> list[Finding]:
        asked.append(telemetry)
        return []

    monkeypatch.setenv("TELEMETRY_TOPIC", "trucks;vans")
    monkeypatch.setattr(asking, "kafka", kafka)
    run(fleetpulse, ["doctor", "--kafka.bootstrap.servers", "127.0.0.1:1"])
    assert asked == [("trucks", "vans")]


@pytest.fixture
def mute() -> Iterator[str]:
    """A port that accepts connections, and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_what_accepts_and_says_nothing_is_a_fault_and_keeps_nobody(
    mute: str, capsys: pytest.CaptureFixture[str]
) -> None:
    named = [
        "--flink.rest",
        mute,
        "--schema.registry.url",
        f"http://{mute}",
        "--database.url",
        f"postgresql://u@{mute}/d",
    ]
    assert run(fleetpulse, ["doctor", "--kafka.bootstrap.servers", mute, *named]) == 1
    found = lines(capsys)
    assert {name: found[name][0] for name in ("broker", "registry", "jobs", "database")} == dict.fromkeys(
        ("broker", "registry", "jobs", "database"), "fault"
    )


@pytest.mark.parametrize("answer", [{}, [], {"jobs": [{"id": 1}]}, {"jobs": [1]}], ids=str)
def test_another_server_than_flink_is_a_fault(answer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_get", lambda _address, _path: answer)
    [found] = asking.flink("127.0.0.1:8000", "start it")
    assert found == fault("jobs", "what answers at 127.0.0.1:8000 is not Flink: name it with --flink.rest")


def test_a_check_that_hangs_or_fails_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_ALL_S", 0.2)
    ends = threading.Event()

    def hangs() -> list:
        ends.wait()
        return []

    def fails() -> list:
        raise FleetpulseError("it cannot be read")

    checks: dict[str, asking.Check] = {"a": lambda: [ok("a", "fine")], "b": hangs, "c": fails}
    found = [(name, str(state), line) for name, state, line in asking.at_once(checks)]
    ends.set()
    assert found == [
        ("a", "ok", "fine"),
        ("b", "fault", "no answer within 0 s: does what listens there belong to Fleetpulse?"),
        ("c", "fault", "it cannot be read"),
    ]
