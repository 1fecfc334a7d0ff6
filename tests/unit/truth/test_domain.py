"""The truth about values and the domain, which share no code, agree on a fleet with all faults."""

from collections import defaultdict
from dataclasses import replace

import pytest

from fleetpulse.anomaly.watch import AnomalyWatch
from fleetpulse.frames.frame import Readings
from fleetpulse.frames.rows import Rows, in_order
from fleetpulse.records.reading import Reading, decode_record
from fleetpulse.rules.checks import check
from fleetpulse.rules.model import read
from fleetpulse.rules.versions import Version
from fleetpulse.windows.tumbling import WindowPolicy, WindowWatch
from generator.fleet.silence import NEVER
from generator.payloads.stream import records
from generator.scenario import Dialect
from tests.truth.together import Together
from tests.truth.values import Limit, Rate, Rule, Stuck, ValueTruth
from tests.truth.windows import WindowTruth
from tests.unit.generator.fleets import FAULTY

FLEET = replace(
    FAULTY,
    dialect=Dialect.MIXED,
    duration_ms=150_000,
    timeout_ms=10_000,
    site_outage_ms=20_000,
    spike_rate=0.02,
    stuck_probability=0.3,
    drift_per_day=100.0,
    located_share=0.5,
    warning_share=0.4,
    critical_share=0.3,
)
KNOWN = ("temperature_c", "humidity", "lat", "lon", "battery", "vibration_mm_s", "energy_kw", "pressure_hpa")

EXPECTED: list[Rule] = [
    Limit("hot", "temperature_c", warning=24.0, critical=35.0),
    Limit("dry", "humidity", warning=52.0, critical=50.0, above=False, hysteresis=1.0),
    Limit("shaking", "vibration_mm_s", warning=5.0, critical=7.0, hysteresis=0.5, for_ms=3_000),
    Limit("empty", "battery", warning=30.0, above=False, for_ms=20_000),
    Rate("surge", "energy_kw", warning=300.0, critical=2_000.0),
    Rate("weather", "pressure_hpa", warning=100.0, per_ms=10_000, for_ms=2_000),
    Stuck("frozen", "pressure_hpa", for_ms=5_000),
    Stuck("parked", "lat", for_ms=10_000, tolerance=0.0001, severity="info"),
]
RULES = [
    {"kind": "threshold", "id": "hot", "metric": "temperature_c", "above": {"warning": 24, "critical": 35}},
    {
        "kind": "threshold",
        "id": "dry",
        "metric": "humidity",
        "below": {"warning": 52, "critical": 50},
        "hysteresis": 1,
    },
    {
        "kind": "threshold",
        "id": "shaking",
        "metric": "vibration_mm_s",
        "above": {"warning": 5, "critical": 7},
        "hysteresis": 0.5,
        "for": "3s",
    },
    {"kind": "battery", "id": "empty", "below": {"warning": 30}, "for": "20s"},
    {"kind": "rate", "id": "surge", "metric": "energy_kw", "above": {"warning": 300, "critical": 2000}},
    {"kind": "rate", "id": "weather", "metric": "pressure_hpa", "above": {"warning": 100}, "per": "10s", "for": "2s"},
    {"kind": "stuck", "id": "frozen", "metric": "pressure_hpa", "for": "5s"},
    {"kind": "stuck", "id": "parked", "metric": "lat", "for": "10s", "tolerance": 0.0001, "severity": "info"},
]


@pytest.fixture(scope="module")
def simulated():
    """What must result for the devices that are certain, and what the domain reads of these."""
    revisions, windows = [], []
    alerts, minutes = ValueTruth(FLEET, EXPECTED, revisions.append), WindowTruth(FLEET, 60_000, windows.append)
    judged = [decode_record(r.value, r.timestamp_ms, 60_000) for r in records(FLEET, Together(alerts, minutes))]
    minutes.close(NEVER)
    unsure = alerts.order_dependent | minutes.order_dependent
    read_in = [r for r in judged if isinstance(r, Reading) and r.device_id not in unsure]
    return (
        [r for r in revisions if r.device_id not in unsure],
        [w for w in windows if w.device_id not in unsure],
        rows(read_in),
    )


def rows(readings: list[Reading]) -> Rows:
    columns = {name: [reading.metrics.get(name) for reading in readings] for name in KNOWN}
    others = {
        row: {name: value for name, value in reading.metrics.items() if name not in KNOWN}
        for row, reading in enumerate(readings)
    }
    locations = list(dict.fromkeys(reading.location for reading in readings))
    return in_order(
        [
            (
                Readings(
                    [reading.device_id for reading in readings],
                    [reading.event_time_ms for reading in readings],
                    columns,
                    {row: metrics for row, metrics in others.items() if metrics},
                    locations,
                    [locations.index(reading.location) for reading in readings],
                ),
                0,
                NEVER,
            )
        ]
    )


def test_the_domain_raises_the_alerts_that_must_result(simulated):
    revisions, _, read_in = simulated
    watch = AnomalyWatch((Version(1, 0, check(read({"rules": RULES}))),), 7 * 86_400_000)
    raised = watch.advance(read_in, FLEET.end_ms)
    states = defaultdict(set)
    for revision in revisions:
        states[revision.rule_id].add(revision.state)

    assert {rule for rule, found in states.items() if found >= {"open", "recovered"}} == {r.rule_id for r in EXPECTED}
    assert {rule for rule, found in states.items() if "updated" in found} == {"hot", "dry", "shaking", "surge"}
    assert {
        (r.alert_id, r.rule_id, r.device_id, r.revision, str(r.state), r.severity, r.opened_at_ms, r.changed_at_ms)
        for r in raised
    } == {
        (r.alert_id, r.rule_id, r.device_id, r.revision, r.state, r.severity, r.opened_at_ms, r.changed_at_ms)
        for r in revisions
    }


def test_the_domain_sums_up_the_windows_that_must_result(simulated):
    _, windows, read_in = simulated
    closed = WindowWatch(WindowPolicy(60_000)).advance(read_in, FLEET.end_ms + 60_000)

    assert len(windows) > 200
    assert {
        (a.device_id, a.metric, a.start_ms, a.end_ms, t.count, t.sum, t.min, t.max, t.sum / t.count, t.last, t.p95)
        for a in closed
        for t in [a.total]
    } == set(windows)
