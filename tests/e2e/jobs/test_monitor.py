"""The monitor job on the embedded stack: silence, rules and windows equal what was computed without any job's code."""

import time
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from fleetpulse.cli.main import fleetpulse
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.topics import Topic
from generator.payloads.records import Record
from generator.payloads.stream import decided_until
from generator.scenario import Dialect, Scenario
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.jobs import inactivity, lasting
from tests.e2e.support.monitoring import RULES, check, decoded, iso, told
from tests.e2e.support.scenarios import BOUND_MS, SETTINGS, START_MS

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


def test_100_000_records_of_all_dialects_give_what_they_must_though_flink_is_killed(
    stack: EmbeddedStack, tmp_path: Path
) -> None:
    job, must = inactivity(stack, job="monitor"), told(SCENARIO)
    assert len(must.sent) >= 100_000
    assert {alert.rule_id for alert in must.alerts} == {"inactivity", "clock", "warm", "dry", "jump", "flat"}
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
        running.wait_until_decided(until_ms)
        counts = running.counts()
        running.savepoint(stop=True)
        running.wait_until_finished()
    check(job, must, SCENARIO)
    assert counts["read"] == counts["on_time"] + counts["late"] + counts["rejected"] == len(must.sent)
    assert (counts["rejected"], counts["late"]) == (must.rejected, len(job.late()))


def test_rules_that_are_changed_under_load_judge_from_their_instant_on(stack: EmbeddedStack, tmp_path: Path) -> None:
    """No record is judged by a half-applied set: two rules change together, and always say the same."""
    job = inactivity(stack, job="monitor")
    for name, limit in (("first", 20), ("second", 30)):
        rule = "  - {{kind: threshold, id: {}, metric: temperature_c, above: {{critical: {}}}}}\n"
        (tmp_path / name).write_text("rules:\n" + rule.format("one", limit) + rule.format("two", limit))
    with job.running("--rules", str(tmp_path / "first"), "--window", "10s") as running:
        running.wait_until_started()
        instant_ms = int(time.time() * 1000) + 30_000
        places = ["--kafka.bootstrap.servers", stack.bootstrap, "--rules.topic", job.rules_topic]
        instant = ["--effective.from", str(instant_ms)]
        applied = CliRunner().invoke(fleetpulse, ["rules", "apply", str(tmp_path / "second"), *instant, *places])
        assert applied.exit_code == 0, applied.output
        job.write(restless(instant_ms - 10_000, instant_ms + 10_000))
        running.wait_until_decided(instant_ms + 7_000)
        running.savepoint()
    alerts = decoded(job, job.alerts_topic)
    versions = Counter(alert["rule_version"] for alert in alerts)
    assert min(versions[1], versions[2]) > 100
    for alert in alerts:
        by_second = alert["changed_at"] >= iso(instant_ms)
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
