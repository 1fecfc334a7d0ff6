"""Each line of `fleetpulse doctor`: the state that it gives, and what it says to do."""

import pytest

from fleetpulse.doctor import findings
from fleetpulse.doctor.findings import Finding, Job
from fleetpulse.records.arriving import Arriving
from fleetpulse.rules.model import read
from fleetpulse.rules.versions import Version
from fleetpulse.topics import Topic

GIB = 1 << 30
NOW_MS = 1_767_225_600_000
TOPICS = (Topic("events", 3), Topic("alerts", 1))


def sample(*values: bytes) -> Arriving:
    found = Arriving()
    found.take(values, [NOW_MS] * len(values), 60_000)
    return found


HUMID = b'{"device_id": "a", "humidity": 4}'
RULES = read({"rules": [{"kind": "threshold", "id": "fuel", "metric": "fuel_l", "below": {"warning": 3}}]})


@pytest.mark.parametrize(
    ("finding", "state", "says"),
    [
        (findings.of_python((3, 11, 7)), "ok", "3.11.7"),
        (findings.of_python((3, 12, 1)), "fault", "3.12.1: 3.11 is needed; make .venv again with `make setup PYTHON="),
        (findings.of_memory(8 * GIB, False), "ok", "8.0 GiB available"),
        (findings.of_memory(3 * GIB, False), "warning", "end other programs"),
        (findings.of_memory(1 * GIB, False), "fault", "end other programs"),
        (findings.of_memory(1 * GIB, True), "ok", "1.0 GiB available"),
        (findings.of_disk(9 * GIB, "/x", True), "ok", "9.0 GiB free for /x"),
        (findings.of_disk(2 * GIB, "/x", True), "warning", "free some space"),
        (findings.of_disk(GIB // 2, "/x", True), "fault", "free some space"),
        (findings.of_disk(9 * GIB, "/x", False), "fault", "/x cannot be written: is it another user's?"),
        (findings.of_ports({}, False, 8), "ok", "8 free for the stack"),
        (findings.of_ports({}, True, 8), "ok", "8 held by the stack"),
        (
            findings.of_ports({9092: " by java (pid 7)", 8081: ""}, False, 8),
            "fault",
            "taken: 9092 by java (pid 7), 8081; stop what holds them, or start with `make stack-up ARGS='--port.offset",
        ),
        (findings.of_programs({}, "/x"), "warning", "nothing runs in /x: start the stack with `make stack-up`"),
        (findings.of_programs({"kafka": "RUNNING"}, "/x"), "ok", "all programs run in /x: kafka"),
        (
            findings.of_programs({"kafka": "RUNNING", "postgres": "FATAL"}, "/x"),
            "fault",
            "postgres is FATAL: see `fleetpulse stack logs postgres`",
        ),
        (findings.of_topics({"events": 4, "alerts": 1, "other": 1}, TOPICS), "ok", "all 2 are there"),
        (findings.of_topics({"alerts": 1}, TOPICS), "warning", "missing: events; make them with `fleetpulse kafka"),
        (findings.of_topics({"events": 2, "alerts": 1}, TOPICS), "warning", "events has 2 of 3 partitions: see"),
        (findings.of_jobs([]), "warning", "none runs, so nothing is decided: `make submit-monitor`"),
        (
            findings.of_jobs([Job("fleetpulse archive", "RUNNING", 1)]),
            "warning",
            "only fleetpulse archive runs, so nothing is decided",
        ),
        (
            findings.of_jobs([Job("fleetpulse monitor", "RUNNING", 4_000)]),
            "ok",
            "fleetpulse monitor (checkpoint 4 s ago)",
        ),
        (findings.of_jobs([Job("fleetpulse monitor", "RUNNING", None)]), "warning", "has made no checkpoint yet"),
        (
            findings.of_jobs(
                [Job("fleetpulse monitor", "RUNNING", 1), Job("fleetpulse cold storage", "RUNNING", None, 3)]
            ),
            "warning",
            "no free task slot for fleetpulse cold storage (3 tasks): stop another job",
        ),
        (findings.of_jobs([Job("fleetpulse monitor", "RESTARTING", 1)]), "fault", "fleetpulse monitor is RESTARTING:"),
        (findings.of_jobs([Job("fleetpulse monitor", "FAILED", 1)]), "fault", "fleetpulse monitor is FAILED: read"),
        (
            findings.of_jobs(
                [
                    Job("fleetpulse monitor", "FAILED", 1),
                    Job("fleetpulse monitor", "RUNNING", 0),
                    Job("fleetpulse cold storage", "CANCELED", None),
                ]
            ),
            "ok",
            "fleetpulse monitor (checkpoint 0 s ago)",
        ),
        (findings.of_telemetry(sample(), ["events"], None), "warning", "no record in events: see docs/your-data.md"),
        (
            findings.of_telemetry(sample(HUMID, HUMID), ["events"], 3_000),
            "ok",
            "accepted: 2 of 2 records, with humidity",
        ),
        (findings.of_telemetry(sample(HUMID), ["events"], 300_000), "warning", "the newest came 300 s ago: does"),
        (
            findings.of_telemetry(sample(HUMID, b"{", b"["), ["events"], 0),
            "warning",
            "accepted: 1 of 3 records, with humidity; malformed: 2; see `fleetpulse dlq list`",
        ),
        (
            findings.of_telemetry(sample(b'{"device_id": "a", "temperature": 4}'), ["events"], 0),
            "warning",
            "with no metric; `temperature` is dropped in 1: it is called `temperature_c`, in °C",
        ),
        (findings.of_telemetry(sample(b"\0\0"), ["events"], 0), "ok", "1 records in Avro, which are not decoded here"),
        (findings.of_rules(None, sample(HUMID)), "warning", "no version is in force, so only silence is an alert"),
        (
            findings.of_rules(Version(3, 0, RULES), sample(HUMID)),
            "warning",
            "'fuel' never fires: see `fleetpulse rules",
        ),
        (findings.of_rules(Version(3, 0, RULES), sample()), "ok", "version 3 is in force, rules: 1"),
        (findings.of_database(None, 0), "fault", "it has no table `alerts`: `fleetpulse database migrate`"),
        (findings.of_database(True, 3), "warning", "3 rows were refused: see the table `alerts_rejects`"),
        (findings.of_database(False, 0), "warning", "no alert is stored: does the archive job run?"),
        (findings.of_database(True, 0), "ok", "alerts are stored"),
    ],
)
def test_a_line(finding: Finding, state: str, says: str) -> None:
    assert finding.state == state
    assert says in finding.line
    assert "\n" not in finding.line
