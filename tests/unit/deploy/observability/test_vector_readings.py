"""What Vector makes of raw records for the search engine is what the archive would store, by the same rules."""

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetpulse.records.metrics import CONVERSIONS, OF_TYPE, UNITS
from fleetpulse.records.reading import Rejection, decode_record
from fleetpulse.times import iso
from tests.bad_records import CASES, KAFKA_TIME_MS
from tests.unit.deploy.observability.vector import Dropped, transformed

# Vector's reader of JSON sees no name that stands twice, and takes no number beyond a double and no lone surrogate; its
# arithmetic has doubles only.
OTHERWISE = {
    "id twice",
    "id twice, once escaped",
    "id twice, then null",
    "id twice, first null",
    "another id twice, then null",
    "time twice",
    "time twice, differently",
    "time twice, once escaped",
    "time twice, then null",
    "time twice, first null",
    "time null twice",
    "event's time twice",
    "sensor's time twice",
    "typed event's time twice",
    "time and id twice",
    "id with a lone surrogate",
    "time 1e400",
    "time beyond all exponents",
    "time of a thousand digits",
    "time of ten thousand digits",
    "time -1e999999",
    "metric 1e400",
    "metric beyond all exponents",
    "metric of a million zeros",
    "metric that rounds to the largest float",
    "sensor whose value is too large while it is converted",
    "unknown fields",
    "unknown numbers beyond all exponents",
}
VALUES = [pytest.param(name, value, id=name) for name, (value, _) in CASES.items() if value is not None]


def by_vector(value: bytes, kafka_time_ms: int = KAFKA_TIME_MS) -> dict[str, Any] | str:
    try:
        return transformed("reading_documents", value, "events", kafka_time_ms)
    except Dropped as reason:
        return str(reason)


def by_the_domain(value: bytes, kafka_time_ms: int = KAFKA_TIME_MS) -> dict[str, Any] | str:
    decided = decode_record(value, kafka_time_ms, 60_000)
    if isinstance(decided, Rejection):
        return decided.reason
    document: dict[str, Any] = {"device_id": decided.device_id, "time": iso(decided.event_time_ms)}
    document |= {field: name for field, name in decided.location._asdict().items() if name is not None}
    document |= {metric: number for metric, number in decided.metrics.items() if metric in UNITS}
    if others := {metric: number for metric, number in decided.metrics.items() if metric not in UNITS}:
        document["metrics"] = others
    return document | {"id": "events:0:7", "origin": "events:0:7"}


@pytest.mark.parametrize(("name", "value"), VALUES)
def test_a_document_says_what_the_domain_says(name: str, value: bytes) -> None:
    assert (by_vector(value) == by_the_domain(value)) == (name not in OTHERWISE)


finite = st.floats(-1e300, 1e300) | st.integers(-(2**63), 2**63 - 1) | st.integers(-500, 500).map(lambda n: n / 10)
moments = st.datetimes(max_value=datetime(2026, 1, 2))  # noqa: DTZ001 offsets are put on below
# Whole numbers beside the edges of a millisecond, and of what tells their units apart, both sides of zero.
whole = st.builds(
    lambda milliseconds, unit, off, sign: sign * (milliseconds * unit + off),
    st.integers(1, 1_767_225_600_000) | st.sampled_from([10**5, 10**8, 10**11, 10**14]),
    st.sampled_from([1, 1000, 1_000_000]),
    st.integers(-2, 2),
    st.sampled_from([1, 1, -1]),
)
odd_isos = st.sampled_from(
    [
        *("20260101T000000Z", "20260101T0000", "20260101T053000.25+0530", "20260101T00000Z", "2026-01-01T00:00.5"),
        *("2026-01-01T00:00:00,5", "2026-01-01T00:00+05", "2026-01-01T00:00:00.123456789012Z", "2026-01-01T00:00:003"),
        *("2026-01-01T00:00:00+05:70", "2026-01-01T00:00:00+24:00", "2026-01-01T24:00:00Z", "2025-02-29T00:00:00Z"),
        *("2026-01-01T00:00:00Z\n", "٢٠٢٦-01-01T00:00:00Z", "2026-01-01 00:00-23:59", "2025-W05-3T10:00:00Z"),
    ]
)
times = (
    st.none()
    | odd_isos
    | st.integers(-(2**63), 2**63 - 1)
    | whole
    | st.integers(0, 2**50).map(lambda quarters: quarters / 4)
    | moments.map(datetime.isoformat)
    | moments.map(lambda at: f"{at.isoformat(' ')}+05:30")
)
kinds = st.sampled_from([*OF_TYPE, *UNITS, "co2", "2nd", "Temperature", "PRESSURE", "Energy_kW", "CO2"])
_written = sorted({unit for conversions in CONVERSIONS.values() for unit in conversions})
units = (
    st.none()
    | st.sampled_from(_written)
    | st.sampled_from(_written).map(str.lower)
    | st.sampled_from(_written).map(str.upper)
    | st.sampled_from(
        ["", " ", " °F ", "℃", "ºC", "⁰C", "° C", "˚c", "℉", "\u212a", "deg\u00a0C", "Mw", "Mbar", "furlongs"]
    )
)
names = st.none() | st.text(max_size=130)
telemetry = st.fixed_dictionaries(
    {"device_id": names},
    optional={"ts": times, "temperature_c": finite, "humidity": finite, "lat": finite | st.booleans()},
)
beside = dict.fromkeys(("temperature_c", "battery", "lat", "temperature", "energy"), finite) | {
    "value": finite,
    "unit": units,
    "name": kinds,
    "humidity": finite | st.booleans() | st.just("damp"),
}
typed = st.fixed_dictionaries(
    {
        "device_id": st.just("d1"),
        "event_type": kinds | st.sampled_from(["location", "custom", "CUSTOM", 7]),
        "ts": times,
    },
    optional={"payload": st.fixed_dictionaries({}, optional=beside), **beside},
)
places = st.fixed_dictionaries({}, optional={"factory_section": names, "machine_id": names, "zone": names})
sensor = st.fixed_dictionaries(
    {"sensor_id": st.just("s1"), "timestamp": times},
    optional={"location": st.none() | places, "sensor_type": kinds, **beside},
)
ids = st.none() | st.sampled_from(["d1", "d1", "d2", "", 7])
several = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("device_id", "device-id", "sensor_id"), ids)
    | dict.fromkeys(("ts", "time", "timestamp"), times)
    | {"humidity": finite},
)
deep = st.integers(60, 70).map(lambda depth: {"device_id": "d1", "x": json.loads("[" * depth + "]" * depth)})
event = st.fixed_dictionaries({"device-id": names, "time": times})


def rounded(document: object) -> object:
    """Vector may read a number off by its last digit: no matter in a search."""
    if isinstance(document, dict):
        return {name: rounded(value) for name, value in document.items()}
    return float(f"{document:.14g}") if isinstance(document, float) else document


@settings(max_examples=300)
@given(telemetry | typed | sensor | event | several | deep)
def test_any_record_says_the_same(record: dict[str, Any]) -> None:
    value = json.dumps(record).encode()
    assert rounded(by_vector(value)) == rounded(by_the_domain(value))
