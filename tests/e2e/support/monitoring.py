"""What the monitor job must make of a fleet, computed without any job's code, and whether it did."""

import json
import math
from typing import NamedTuple

from generator.payloads.records import Record
from generator.payloads.stream import decided_until, records
from generator.scenario import Scenario
from generator.truth.alerts import Revision as Silence
from generator.truth.alerts import Truth
from tests.e2e.support.jobs import Inactivity, moment
from tests.e2e.support.kafka import messages
from tests.truth.together import Together
from tests.truth.values import Limit, Rate, Stuck, ValueRevision, ValueTruth
from tests.truth.windows import Window, WindowTruth

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


_SEVERITY = {"inactivity": "critical", "clock": "warning"}


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
    expected: list[tuple[Silence | ValueRevision, str, str]] = [
        *((r, r.rule_id, _SEVERITY[r.rule_id]) for r in silences),
        *((r, r.rule_id, r.severity) for r in values),
    ]
    alerts = {
        Alert(str(r.alert_id), r.revision, rule, r.state, severity, iso(r.opened_at_ms), iso(r.changed_at_ms))
        for r, rule, severity in expected
        if r.changed_at_ms <= until_ms and r.device_id not in unsure
    }
    closed = {
        (w.device_id, w.metric, iso(w.start_ms)): w
        for w in windows
        if w.end_ms <= until_ms + 1 and w.device_id not in unsure
    }
    return Told(sent, alerts, closed, unsure, silence.rejected.total())


def iso(epoch_ms: int) -> str:
    return f"{moment(epoch_ms):%Y-%m-%dT%H:%M:%S}.{epoch_ms % 1000:03d}Z"


def alert_of(fields: dict) -> Alert:
    return Alert(*(fields[name] for name in Alert._fields))


def decoded(job: Inactivity, topic: str) -> list[dict]:
    return [json.loads(message.value()) for message in messages(job.stack.bootstrap, topic)]


def assert_same(found: dict, window: Window) -> None:
    assert found["count"] == window.readings
    for name in ("sum", "min", "max", "avg", "last", "p95"):
        assert math.isclose(found[name], getattr(window, name), rel_tol=1e-9, abs_tol=1e-9), (name, found, window)


def check(job: Inactivity, must: Told, scenario: Scenario) -> None:
    """Alerts and windows of the devices whose outcome is certain are those that must be, and no others."""
    until = iso(decided_until(scenario, scenario.end_ms))
    alerts = [fields for fields in decoded(job, job.alerts_topic) if fields["device_id"] not in must.unsure]
    found = sorted(alert_of(fields) for fields in alerts if fields["changed_at"] <= until)
    assert found == sorted(must.alerts)
    assert {fields.get("rule_version") for fields in alerts if fields["rule_id"] not in _SEVERITY} == {1}
    aggregates = [fields for fields in decoded(job, job.aggregates_topic) if fields["device_id"] not in must.unsure]
    closed = [fields for fields in aggregates if fields["window_end"] <= until]
    windows = {(a["device_id"], a["metric"], a["window_start"]): a for a in closed}
    assert windows.keys() == must.windows.keys()
    assert len(windows) == len(closed)
    for key, window in must.windows.items():
        assert_same(windows[key], window)
    assert len(job.dead_letters()) == must.rejected
