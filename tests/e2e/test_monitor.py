"""The monitor job on the embedded stack: silence, rules and windows equal what was computed without any job's code."""

import json
import math
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from cli import fleetpulse
from clients.topics import ensure_topics
from fleetpulse.topics import Topic
from generator.records import Record
from generator.scenario import Dialect, Scenario
from generator.stream import Together, decided_until, records
from generator.truth import Revision as Silence
from generator.truth import Truth
from generator.truth_values import Limit, Rate, Stuck, ValueRevision, ValueTruth
from generator.truth_windows import Window, WindowTruth
from tests.e2e.embedded import EmbeddedStack
from tests.e2e.jobs import Inactivity, inactivity, lasting, messages, moment
from tests.e2e.scenarios import BOUND_MS, SETTINGS, START_MS
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

SCENARIO = Scenario(
    seed=11,
    devices=200,
    interval_ms=1_000,
    start_ms=START_MS,
    duration_ms=560_000,
    dialect=Dialect.MIXED,
    failure_probability=0.2,
    out_of_order_rate=0.03,
    late_rate=0.002,
    duplicate_rate=0.02,
    malformed_rate=0.01,
    clock_ahead_devices=2,
    clock_behind_devices=2,
    spike_rate=0.01,
    stuck_probability=0.3,
    timeout_ms=20_000,
    period_ms=10_000,
    bound_ms=BOUND_MS,
)
RULES = """
rules:
  - {kind: threshold, id: warm, metric: temperature_c, above: {warning: 24, critical: 30}, hysteresis: 0.5, for: 3s}
  - {kind: threshold, id: dry, metric: humidity, below: {warning: 42, critical: 30}}
  - {kind: rate, id: jump, metric: temperature_c, above: {warning: 200, critical: 600}}
  - {kind: stuck, id: flat, metric: humidity, for: 20s}
"""
TRUE_RULES = (
    Limit("warm", "temperature_c", 24, 30, hysteresis=0.5, for_ms=3_000),
    Limit("dry", "humidity", 42, 30, above=False),
    Rate("jump", "temperature_c", 200, 600),
    Stuck("flat", "humidity", 20_000),
)


class Alert(NamedTuple):
    """What must be so of a revision."""

    alert_id: str
    revision: int
    rule_id: str
    state: str
    severity: str
    opened_at: str
    changed_at: str


class Told(NamedTuple):
    """A fleet's records and what must come of them, as far as it does not depend on the order of arrival."""

    sent: list[Record]
    alerts: set[Alert]
    windows: dict[tuple[str, str, str], Window]
    unsure: set[str]
    rejected: int


def told(scenario: Scenario) -> Told:
    silences: list[Silence] = []
    values: list[ValueRevision] = []
    windows: list[Window] = []
    silence = Truth(scenario, silences.append)
    value = ValueTruth(scenario, TRUE_RULES, values.append)
    window = WindowTruth(scenario, 10_000, windows.append)
    sent = list(records(scenario, Together(silence, value, window)))
    until_ms = decided_until(scenario, scenario.end_ms)
    silence.close(until_ms)
    window.close(until_ms)
    unsure = silence.order_dependent | value.order_dependent | window.order_dependent
    alerts = {
        Alert(str(r.alert_id), r.revision, rule, r.state, severity, _iso(r.opened_at_ms), _iso(r.changed_at_ms))
        for r, rule, severity in [
            *((r, "inactivity", "critical") for r in silences),
            *((r, r.rule_id, r.severity) for r in values),
        ]
        if r.changed_at_ms <= until_ms and r.device_id not in unsure
    }
    closed = {
        (w.device_id, w.metric, _iso(w.start_ms)): w
        for w in windows
        if w.end_ms <= until_ms + 1 and w.device_id not in unsure
    }
    return Told(sent, alerts, closed, unsure, silence.rejected.total())


def _iso(epoch_ms: int) -> str:
    return f"{moment(epoch_ms):%Y-%m-%dT%H:%M:%S}.{epoch_ms % 1000:03d}Z"


def alert_of(fields: dict) -> Alert:
    return Alert(*(fields[name] for name in Alert._fields))


def decoded(job: Inactivity, topic: str) -> list[dict]:
    return [json.loads(message.value()) for message in messages(job.stack.bootstrap, topic)]


def test_100_000_records_of_all_dialects_give_what_they_must_though_flink_is_killed(
    stack: EmbeddedStack, tmp_path: Path
) -> None:
    job, must = inactivity(stack, job="monitor"), told(SCENARIO)
    assert len(must.sent) >= 100_000
    ensure_topics(stack.bootstrap, [lasting(Topic(job.aggregates_topic, 3))])
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    with job.running(*SETTINGS, "--window", "10s", "--rules", str(rules), "--reconnect.grace.ms", "2000") as running:
        half = len(must.sent) // 2
        job.write(must.sent[:half])
        running.wait_until_read(half // 2)
        stack.kill("taskmanager")
        job.write(must.sent[half:])
        running.wait_until_read(len(must.sent))
        until_ms = decided_until(SCENARIO, SCENARIO.end_ms)
        wait_until("time to pass", lambda: running.watermark_ms() >= until_ms, 180)
        running.savepoint()
        counts = running.counts()
    until = _iso(until_ms)
    alerts = [fields for fields in decoded(job, job.alerts_topic) if fields["device_id"] not in must.unsure]
    assert {fields["rule_id"] for fields in alerts} == {"inactivity", "warm", "dry", "jump", "flat"}
    found = sorted(alert_of(fields) for fields in alerts if fields["changed_at"] <= until)
    assert found == sorted(must.alerts)
    assert {fields.get("rule_version") for fields in alerts if fields["rule_id"] != "inactivity"} == {1}
    aggregates = [fields for fields in decoded(job, job.aggregates_topic) if fields["device_id"] not in must.unsure]
    windows = {(a["device_id"], a["metric"], a["window_start"]): a for a in aggregates if a["window_end"] <= until}
    assert windows.keys() == must.windows.keys()
    assert len(windows) == sum(a["window_end"] <= until for a in aggregates)
    for key, window in must.windows.items():
        assert_same(windows[key], window)
    assert counts["read"] == counts["on_time"] + counts["late"] + counts["rejected"] == len(must.sent)
    assert (counts["rejected"], counts["late"]) == (must.rejected, len(job.late()))
    assert len(job.dead_letters()) == must.rejected


def assert_same(found: dict, window: Window) -> None:
    assert found["count"] == window.readings
    for name in ("sum", "min", "max", "avg", "last", "p95"):
        assert math.isclose(found[name], getattr(window, name), rel_tol=1e-9, abs_tol=1e-9), (name, found, window)


def test_rules_that_are_changed_under_load_judge_from_their_instant_on(stack: EmbeddedStack, tmp_path: Path) -> None:
    """No record is judged by a half-applied set: two rules change together, and always say the same."""
    job = inactivity(stack, job="monitor")
    for name, limit in (("first", 20), ("second", 30)):
        rule = "  - {{kind: threshold, id: {}, metric: temperature_c, above: {{critical: {}}}}}\n"
        (tmp_path / name).write_text("rules:\n" + rule.format("one", limit) + rule.format("two", limit))
    with job.running("--rules", str(tmp_path / "first"), "--window", "10s") as running:
        wait_until("the job to decide", lambda: running.watermark_ms() > 0, 120)
        now_ms = int(time.time() * 1000)
        job.write(restless(now_ms - 5_000, now_ms + 15_000))
        places = ["--kafka.bootstrap.servers", stack.bootstrap, "--rules.topic", job.rules_topic]
        instant = ["--effective.from", str(now_ms + 8_000)]
        applied = CliRunner().invoke(fleetpulse, ["rules", "apply", str(tmp_path / "second"), *instant, *places])
        assert applied.exit_code == 0, applied.output
        running.wait_until_decided(now_ms + 14_000)
        running.savepoint()
    alerts = decoded(job, job.alerts_topic)
    versions = Counter(alert["rule_version"] for alert in alerts)
    assert min(versions[1], versions[2]) > 100
    for alert in alerts:
        by_second = alert["changed_at"] >= _iso(now_ms + 8_000)
        assert (alert["rule_version"], alert["limit"]) == ((2, 30) if by_second else (1, 20)), alert
    assert changes_of(alerts, "one") == changes_of(alerts, "two")


def changes_of(alerts: list[dict], rule_id: str) -> list[tuple[str, str, str]]:
    return sorted((a["device_id"], a["changed_at"], a["state"]) for a in alerts if a["rule_id"] == rule_id)


def restless(from_ms: int, until_ms: int) -> list[Record]:
    """Readings of 20 devices, each ten times a second, that pass and leave both limits all the time."""
    sent = []
    for place, at_ms in enumerate(range(from_ms, until_ms, 100)):
        for device in range(20):
            value = (15, 25, 35, 25)[(place + device) % 4]
            text = f'{{"device_id":"d{device}","ts":{at_ms},"temperature_c":{value}}}'
            sent.append(Record(at_ms, f"d{device}".encode(), text.encode(), at_ms))
    return sent
