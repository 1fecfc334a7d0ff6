"""State that an earlier version wrote is read and goes on."""

from pathlib import Path

import msgspec

from fleetpulse.anomaly.watch import AnomalyWatch, Snapshot
from tests.unit.fleetpulse.rules.timelines import DAY_MS, T0, rows, version

# A snapshot of these rules after these readings, written before runs had a side.
BEFORE_SIDES = Path(__file__).with_name("before_sides.msgpack")
RULES = [
    {
        "kind": "threshold",
        "id": "range",
        "metric": "temperature_c",
        "above": {"warning": 30, "critical": 40},
        "below": {"warning": 20, "critical": 10},
        "hysteresis": 3,
    },
    {
        "kind": "threshold",
        "id": "narrow",
        "metric": "temperature_c",
        "above": {"warning": 30},
        "below": {"warning": 20},
        "hysteresis": 6,
        "for": "4s",
    },
    {"kind": "threshold", "id": "cold", "metric": "temperature_c", "below": {"critical": 20}, "hysteresis": 2},
    {"kind": "battery", "id": "low", "below": {"warning": 20, "critical": 10}, "hysteresis": 1, "for": "10s"},
    {"kind": "rate", "id": "jump", "metric": "temperature_c", "above": {"warning": 200}},
    {"kind": "stuck", "id": "flat", "metric": "humidity", "for": "8s"},
    {"kind": "missing", "id": "stale", "metric": "co2", "for": "9s"},
    {"kind": "deviation", "id": "odd", "metric": "temperature_c", "sigmas": {"warning": 2}, "warm_up": 3},
    {
        "kind": "geofence",
        "id": "pit",
        "area": {"shape": "circle", "lat": 48, "lon": 11, "radius_m": 2000},
        "alert": "inside",
    },
    {
        "kind": "condition",
        "id": "both",
        "when": {"all": [{"rule": "range"}, {"not": {"metric": "humidity", "below": 30}}]},
        "for": "15s",
    },
    {"kind": "flapping", "id": "flap", "rule": "jump", "opens": 2, "within": "60s"},
]
TEMPERATURES = {
    "above": [25, 31, 31, 28, 29],
    "below": [25, 19, 22, 21.5, 22.5],
    "cold": [19, 21, 21, 21, 21],
    "deep": [25, 25, 25, 25, 5],
}


def reading(device: str, s: float, temperature: float, humidity: float, battery: float, lat: float) -> tuple:
    metrics = {"temperature_c": float(temperature), "humidity": humidity, "battery": battery, "lat": lat, "lon": 11.0}
    return device, s, metrics


BEFORE = [
    reading(device, 3.0 * n, temperatures[n], 50.0, 90.0 if device == "above" else 15.0, 48.0)
    for n in range(5)
    for device, temperatures in TEMPERATURES.items()
]
AFTER = [
    reading(device, s, *values)
    for s, *values in [
        (15, 28, 50.0, 15.0, 48.0),
        (18, 24, 51.0, 20.5, 48.0),
        (21, 22, 51.0, 21.0, 49.0),
        (24, 31, 51.0, 21.0, 49.0),
        (27, 25, 51.0, 21.0, 49.0),
        (30, 9, 51.0, 9.0, 48.0),
    ]
    for device in TEMPERATURES
]


def test_runs_that_kept_no_side_go_on_as_if_they_had() -> None:
    versions = (version(*RULES),)
    kept = msgspec.msgpack.decode(BEFORE_SIDES.read_bytes(), type=Snapshot)
    restored, anew = AnomalyWatch(versions, 7 * DAY_MS, kept), AnomalyWatch(versions, 7 * DAY_MS)
    anew.advance(rows(*BEFORE), T0 + 12_000)
    expected = anew.advance(rows(*AFTER), T0 + 30_000)
    assert {revision.rule_id for revision in expected} == {rule["id"] for rule in RULES} - {"stale", "both"}
    assert restored.advance(rows(*AFTER), T0 + 30_000) == expected
