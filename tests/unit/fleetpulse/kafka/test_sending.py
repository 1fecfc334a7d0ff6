"""What `fleetpulse kafka send` says of each record is what the jobs make of it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError

from fleetpulse.cli.commandline import run
from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka import cli, sending
from fleetpulse.kafka.cli import command
from fleetpulse.kafka.sending import Judged, judged, send
from fleetpulse.records.reasons import SENTENCES, Reason

NOW_MS = 1_767_225_600_000
PAGE = (Path(__file__).resolve().parents[4] / "docs" / "your-data.md").read_text()


LATE = "a job that has decided that instant does not judge it"


def of(**fields: Any) -> Judged:
    return judged(json.dumps(fields).encode(), NOW_MS)


@pytest.mark.parametrize(
    ("record", "key", "accepted", "lines"),
    [
        ({"device_id": "a", "temperature_c": 21.5}, "a", True, ["accepted: a, temperature_c 21.5 °C"]),
        ({"device_id": "a"}, "a", True, ["accepted: a, no metric, a sign of life only"]),
        (
            {"device_id": "a", "ts": NOW_MS - 3_600_000},
            "a",
            True,
            [
                "accepted: a, no metric, a sign of life only",
                f"late: its time is 2025-12-31T23:00:00.000Z, 3600 s ago; {LATE}",
            ],
        ),
        (
            {"device_id": "a", "ts": "soon"},
            "a",
            False,
            [f"rejected as bad_time: {SENTENCES[Reason.BAD_TIME]}"],
        ),
        (
            {"id": "a"},
            None,
            False,
            [f"rejected as unknown_schema: {SENTENCES[Reason.UNKNOWN_SCHEMA]}"],
        ),
        (
            {"device_id": "a", "humidity": "45"},
            "a",
            False,
            [f"rejected as wrong_type: {SENTENCES[Reason.WRONG_TYPE]}"],
        ),
    ],
)
def test_a_record_is_judged(record: dict[str, Any], key: str | None, accepted: bool, lines: list[str]) -> None:
    assert of(**record) == Judged(key, accepted, lines)


class Broker:
    """A producer whose broker takes all records, or none."""

    sent: list[tuple[str, bytes, str | None]]
    refuses = False

    def __init__(self, settings: dict[str, object]) -> None:
        self.callbacks: list[Any] = []

    def produce(self, topic: str, value: bytes, key: str | None, on_delivery: Any) -> None:
        Broker.sent.append((topic, value, key))
        self.callbacks.append(on_delivery)

    def poll(self, _timeout: float) -> int:
        return 0

    def flush(self, _timeout: float) -> int:
        for callback in self.callbacks:
            callback(KafkaError(KafkaError._MSG_TIMED_OUT) if self.refuses else None, None)
        return 0


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> type[Broker]:
    monkeypatch.setattr(sending, "Producer", Broker)
    monkeypatch.setattr(sending, "partitions_of", lambda *_: [0])
    monkeypatch.setattr(cli, "reach", lambda servers: servers)
    monkeypatch.setattr(Broker, "sent", [], raising=False)
    return Broker


def test_the_records_of_the_page_are_judged_as_it_shows(
    broker: type[Broker], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [records] = re.findall(r"^cat > trucks.jsonl <<'END'\n(.*?)^END$", PAGE, re.MULTILINE | re.DOTALL)
    file = tmp_path / "trucks.jsonl"
    file.write_text(records + "\n\n")
    assert run(command, ["send", "telemetry.raw", str(file), "--kafka.bootstrap.servers", "localhost:1"]) == 0
    assert f"```text\n{capsys.readouterr().out}```" in PAGE
    assert [(topic, key) for topic, _, key in broker.sent] == [
        ("telemetry.raw", "truck-1"),
        ("telemetry.raw", "truck-2"),
    ]
    assert b"\n".join(value for _, value, _ in broker.sent) == records.strip().encode()


def test_what_is_rejected_is_sent_all_the_same_and_makes_the_exit_code(
    broker: type[Broker], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "records"
    file.write_text('nothing\n{"device_id": "a", "humidity": 4}\n')
    assert run(command, ["send", "events", str(file), "--kafka.bootstrap.servers", "localhost:1"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("   1  rejected as malformed: ")
    assert said[-1] == "sent 2 records to events, 1 accepted"
    assert len(broker.sent) == 2


def test_a_record_that_the_broker_does_not_take_is_said_in_one_line(
    broker: type[Broker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Broker, "refuses", True)
    with pytest.raises(FleetpulseError, match="not all records reached events: "):
        list(send("localhost:1", "events", [b"{}"]))
