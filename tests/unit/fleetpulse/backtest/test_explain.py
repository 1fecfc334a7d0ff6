"""An alert is explained by its evidence, and derived again from the records of its device."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from fleetpulse.backtest import explain, options
from fleetpulse.backtest.evidence import checks
from fleetpulse.backtest.run import run_history
from fleetpulse.backtest.sources import kafka
from fleetpulse.backtest.sources.history import Stream
from fleetpulse.backtest.sources.records import record_of
from fleetpulse.cli.commandline import run
from fleetpulse.cli.main import fleetpulse
from fleetpulse.inactivity.clocks import ClockWatch
from fleetpulse.inactivity.timeouts import InactivityPolicy
from fleetpulse.rules.kinds import Rule
from tests.unit.fleetpulse.backtest.histories import SETTINGS, streams, write_lines, write_rules
from tests.unit.fleetpulse.shard.test_monitoring_shard import RULES, T0, VERSIONS, history, version

RECORDS = history(3)
BOOK = (version(RULES, 1, 0),)
ALERTS = [
    json.loads(record_of(r)) for r in run_history(streams(RECORDS, 3), SETTINGS, [BOOK], T0 + 180_000).revisions[0]
]
OF_CLOCKS = [
    json.loads(record_of(revision))
    for revision in ClockWatch(InactivityPolicy(), {}, lambda _device: 0).advance(
        [(T0 + 70_000, "d1")], [(T0 + at, "d1", -3_600_000) for at in (10_000, 40_000)], T0 + 90_000
    )
]
KINDS = sorted({alert["kind"] for alert in ALERTS})


def rule_of(alert: dict[str, Any]) -> Rule | None:
    return next((rule for rule in BOOK[0].rules.rules if rule.id == alert["rule_id"]), None)


def false_claims(alert: dict[str, Any]) -> list[str]:
    return [check.claim for check in checks(alert, rule_of(alert), InactivityPolicy()) if not check.holds]


def test_there_are_alerts_of_every_kind_to_explain():
    assert {*KINDS} >= {"threshold", "rate", "stuck", "deviation", "condition", "flapping", "inactivity", "never_seen"}
    assert {alert["state"] for alert in ALERTS} >= {"open", "updated", "recovered"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_evidence_of_every_alert_agrees(kind):
    for alert in ALERTS:
        if alert["kind"] == kind:
            assert false_claims(alert) == [], alert


def first(kind: str, state: str = "open") -> dict[str, Any]:
    return next(a for a in ALERTS if (a["kind"], a["state"]) == (kind, state))


@pytest.mark.parametrize(
    ("alert", "change", "claim"),
    [
        (first("threshold"), {"value": 39.0}, "beyond the limit"),
        (first("threshold"), {"limit": 10.0}, "beyond the limit"),
        (first("threshold", "recovered"), {"value": 45.0}, "within the limits"),
        (first("inactivity"), {"limit": 1000.0}, "had been silent"),
        (first("inactivity"), {"device_id": "another"}, "the id is"),
        (first("flapping"), {"value": 2.0}, "openings"),
    ],
)
def test_evidence_that_says_otherwise_does_not_agree(alert, change, claim):
    assert any(claim in told for told in false_claims(alert | change))


def test_a_level_that_has_not_lasted_does_not_agree():
    alert = first("threshold")
    since_ms = alert["evidence"]["since_ms"] + alert["evidence"]["for_ms"]
    assert any("at least" in claim for claim in false_claims(alert | {"evidence": {"since_ms": since_ms, "for_ms": 0}}))


@pytest.fixture
def call(tmp_path, monkeypatch, broker, capsys):
    """`fleetpulse explain` of alerts that are a list, over history in a file; returns exit code and what it says."""
    told = list(ALERTS)

    def from_topic(_servers: str, _topic: str, alert_id: str) -> list[dict[str, Any]]:
        return [alert for alert in told if alert["alert_id"] == alert_id]

    monkeypatch.setattr(explain, "from_topic", from_topic)
    lines = write_lines(tmp_path / "history.jsonl", RECORDS)
    rules = write_rules(tmp_path / "rules.json", RULES)

    def explain_it(alert: dict[str, Any], *arguments: str) -> tuple[int, str]:
        told[:] = [alert if _same(alert, other) else other for other in [*ALERTS, *OF_CLOCKS]]
        places = ["--json-lines", str(lines), "--rules", str(rules)]
        code = run(fleetpulse, ["explain", alert["alert_id"], *places, *arguments])
        output = capsys.readouterr()
        return code, output.out + output.err.replace(f"broker {broker} (KAFKA_BROKERS)\n", "")

    return explain_it


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (one["alert_id"], one["revision"]) == (other["alert_id"], other["revision"])


@pytest.mark.parametrize("kind", KINDS)
def test_history_makes_the_same_revisions_again(call, kind):
    code, said = call(first(kind), "--json")
    document = json.loads(said)
    assert (code, document["agrees"]) == (0, True), said
    for revision in document["revisions"]:
        offsets = [int(record["origin"].split(":")[2]) for record in revision["records"]]
        assert all(RECORDS[offset].value for offset in offsets)
        assert offsets or kind == "never_seen"


def test_it_says_so_in_words(call):
    alert = first("threshold")
    code, said = call(alert)
    assert code == 0
    assert alert["summary"] in said
    assert "by rule hot of version 1: kind threshold, metric temperature_c" in said
    assert "is so   history gives the same revision" in said
    assert "record  telemetry.raw:" in said
    assert said.endswith("it agrees\n")


def test_an_alert_that_history_does_not_make_does_not_agree(call):
    code, said = call(first("threshold") | {"severity": "info"})
    assert code == 1
    assert "NOT SO  severity is info, by history" in said
    assert "it does NOT agree" in said


def test_an_unknown_alert_is_bad_input(call):
    code, said = call(ALERTS[0] | {"alert_id": "00000000-0000-0000-0000-000000000000"})
    assert (code, said) == (2, "error: topic alerts has no alert 00000000-0000-0000-0000-000000000000\n")


def records_without(tmp_path, device: str) -> str:
    """The records of all devices but one, in a file."""
    return str(write_lines(tmp_path / "others.jsonl", [r for r in RECORDS if device.encode() not in (r.value or b"")]))


def test_without_records_of_the_device_nobody_is_accused(call, tmp_path):
    alert = first("threshold")
    code, said = call(alert, "--json-lines", records_without(tmp_path, alert["device_id"]))
    assert code == 2
    assert "NOT" not in said
    assert "is so   the id is that of its rule" in said
    last = said.splitlines()[-1]
    assert last.startswith(f"error: no record of device {alert['device_id']} is in {tmp_path}/others.jsonl, so")
    assert last.endswith("name the topics of its records with --topic")


def test_a_document_says_neither_that_it_agrees_nor_that_it_does_not(call, tmp_path):
    alert = first("threshold")
    _, said = call(alert, "--json", "--json-lines", records_without(tmp_path, alert["device_id"]))
    document = json.loads(said.splitlines()[0])
    assert document["agrees"] is None
    assert {str(revision["differences"]) for revision in document["revisions"]} == {"{}"}


@pytest.fixture
def read(call, monkeypatch, tmp_path):
    """Explains an alert from topics, which groups have committed offsets on; returns which topics were read."""

    def explain_it(committed: dict[str, list[str]], *arguments: str) -> list[str]:
        monkeypatch.setattr(
            options,
            "committed_topics",
            lambda _servers, groups: [topic for group in sorted(groups) for topic in committed.get(group, [])],
        )
        topics: list[str] = []

        def streams(_servers: str, names: Sequence[str], _from_ms: int) -> list[Stream]:
            topics.extend(names)
            return []

        monkeypatch.setattr(kafka, "streams", streams)
        rules = write_rules(tmp_path / "more.json", RULES)
        assert run(fleetpulse, ["explain", first("threshold")["alert_id"], "--rules", str(rules), *arguments]) == 2
        return topics

    return explain_it


def test_it_reads_the_topics_that_the_alert_s_job_reads(read):
    of_monitor = {
        "fleetpulse-monitor-alerts": ["sensor-data", "telemetry.raw"],
        "fleetpulse-monitor-mine": ["d.events"],
    }
    assert read(of_monitor) == ["sensor-data", "telemetry.raw"]
    assert read(of_monitor, "--alerts.topic", "mine") == ["d.events"]
    assert read(of_monitor, "--topic", "events") == ["events"]


def test_it_reads_the_usual_topics_of_a_job_that_is_not_known(read, capsys):
    assert read({"fleetpulse-archive": ["alerts"]}) == ["events", "telemetry.raw"]
    assert "is in events, telemetry.raw, so" in capsys.readouterr().err


def test_a_rule_of_another_version_is_told_by_that_version():
    alert = next(a for a in ALERTS if a["rule_id"] == "hot") | {"rule_version": 2}
    explained = explain._rules_of(alert, VERSIONS)
    assert explained[0] == 2
    assert explain._rules_of(alert | {"rule_version": 9}, VERSIONS)[1].rules == ()


def test_an_alert_on_a_clock_is_explained_by_its_evidence(call):
    opened, recovered = OF_CLOCKS
    assert false_claims(opened) == false_claims(recovered) == []
    assert any("its clock was off by" in claim for claim in false_claims(opened | {"limit": 4_000.0}))
    code, said = call(opened)
    assert code == 0, said
    assert "by the job's own bound of 300 s" in said
    assert "it is not derived from history" in said
