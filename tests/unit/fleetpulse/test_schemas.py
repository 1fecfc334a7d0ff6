"""The schemas say what the code does: what it writes and what it takes fits them, and what it rejects does not."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from fleetpulse.records.reading import Reading, decode_record
from fleetpulse.records.reasons import Reason
from fleetpulse.shard.outputs import OutputTopics
from generator.payloads.stream import records
from generator.scenario import Dialect, Scenario
from tests.unit.fleetpulse.shard.test_monitoring_shard import POLICY, history, run

ROOT = Path(__file__).resolve().parents[3]
T0 = 1_767_225_600_000
DIALECTS = {
    Dialect.EVENT: "event",
    Dialect.TELEMETRY: "telemetry",
    Dialect.SENSOR: "sensor",
    Dialect.TYPED: "typed-event",
}
OUTBOX = OutputTopics(("telemetry.raw",), "late", "dlq", "alerts", "plain", "aggregates")


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((ROOT / "fleetpulse" / "schemas" / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.value)
def test_what_the_simulator_sends_fits_its_schema_and_is_accepted(dialect: Dialect) -> None:
    schema = validator(DIALECTS[dialect])
    for record in records(Scenario(1, 20, 1_000, T0, 60_000, dialect)):
        schema.validate(json.loads(record.value or b""))
        assert isinstance(decode_record(record.value, record.timestamp_ms, 60_000), Reading)


WRONG = [
    ("event", {"device-id": ""}),
    ("event", {"device-id": "d", "time": -1}),
    ("telemetry", {"device_id": "d", "humidity": "damp"}),
    ("telemetry", {"device_id": 7}),
    ("telemetry", {"device_id": "d\u0000"}),
    ("typed-event", {"device_id": "d", "event_type": "battery", "payload": 80}),
    ("typed-event", {"device_id": "d", "event_type": "battery", "payload": {"value": True}}),
    ("sensor", {"sensor_id": "s", "value": 1}),
    ("sensor", {"sensor_id": "s", "sensor_type": "heat", "value": 1, "unit": 3}),
    ("sensor", {"sensor_id": "s", "location": {"zone": 3}}),
]


@pytest.mark.parametrize(("name", "document"), WRONG, ids=[f"{name} {document}" for name, document in WRONG])
def test_what_does_not_fit_is_rejected_too(name: str, document: dict[str, Any]) -> None:
    assert not validator(name).is_valid(document)
    assert not isinstance(decode_record(json.dumps(document).encode(), T0, 60_000), Reading)


TIMES = {"event": ("device-id", "time"), "telemetry": ("device_id", "ts"), "sensor": ("sensor_id", "timestamp")}
TIMES["typed-event"] = TIMES["telemetry"]
TIME_SCHEMAS = [validator(name).schema["properties"][time] for name, (_, time) in TIMES.items()]
ISO_SCHEMA = Draft202012Validator(TIME_SCHEMAS[0])

_year = st.sampled_from(["1970", "1900", "1999", "2000", "2024", "2026", "2100", "2400", "9999", "0000"])
_pair = st.sampled_from(
    ["00", "01", "02", "04", "11", "12", "13", "23", "24", "28", "29", "30", "31", "32", "59", "60"]
)
_fraction = st.sampled_from(["", "", ".", ".5", ",25", ".1234567", ".12345678901234567890"])
_offset = st.sampled_from(["", "Z", "z", " Z", "+00:00", "-0130", "+05", "+05:70", "+24:00", "+23:59", "-00:00", "+5"])
_date = st.tuples(_year, _pair, _pair)
_clock = st.lists(_pair, min_size=1, max_size=4)
_isos = st.builds(
    lambda date, dash, t, clock, colon, fraction, offset: dash.join(date) + t + colon.join(clock) + fraction + offset,
    _date,
    st.sampled_from(["-", "-", "", "/"]),
    st.sampled_from(["T", "T", " ", "t", "", "  "]),
    _clock,
    st.sampled_from([":", ":", ""]),
    _fraction,
    _offset,
)
_days = st.builds("{}-{}-{}T00:00:00Z".format, st.integers(1971, 9999), _pair, _pair)


@st.composite
def _bent(draw: st.DrawFn) -> str:
    text: str = draw(_isos)
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.text("0123456789TZ:.,+- W\nٱ٣", max_size=2)) + text[at + draw(st.integers(0, 2)) :]


def test_all_dialects_have_one_schema_of_time() -> None:
    assert all(schema == TIME_SCHEMAS[0] for schema in TIME_SCHEMAS)


@settings(max_examples=1500)
@given(_isos | _days | _bent() | st.text(max_size=30))
@example("2024-02-29T00:00:00Z")
@example("2023-02-29T00:00:00Z")
@example("1900-02-29T00:00:00Z")
@example("2000-02-29T00:00:00Z")
def test_schema_and_decoder_take_the_same_strings_for_a_time(text: str) -> None:
    value = json.dumps({"device_id": "d", "ts": text}).encode()
    rejected = getattr(decode_record(value, T0, 60_000), "reason", None)
    if ISO_SCHEMA.is_valid(text):
        # Around the epoch it takes arithmetic to know which side of it an offset leads to.
        assert rejected != Reason.BAD_TIME or text.startswith(("1970-01-01", "19700101"))
    else:
        assert rejected == Reason.BAD_TIME or text.startswith(("1969-12-31", "19691231"))


@pytest.mark.parametrize("number", [0, -1, 0.0009, 0.001, 1, 1.5e9, 1e29, 1e30, 1e31])
def test_schema_and_decoder_take_the_same_numbers_for_a_time(number: float) -> None:
    value = json.dumps({"device_id": "d", "ts": number}).encode()
    rejected = getattr(decode_record(value, T0, 60_000), "reason", None)
    assert ISO_SCHEMA.is_valid(number) == (rejected != Reason.BAD_TIME)


def test_what_the_jobs_write_fits_its_schema() -> None:
    schemas = {"alerts": validator("alert"), "aggregates": validator("aggregate")}
    written = dict.fromkeys(schemas, 0)
    for output in run(history(1), POLICY, random.Random(0)).outputs:
        record = OUTBOX.record(output, T0)
        if record.topic in schemas:
            written[record.topic] += 1
            schemas[record.topic].validate(json.loads(record.value or b""))
    assert min(written.values()) > 50


def test_the_examples_of_the_contract_fit_their_schemas() -> None:
    text = (ROOT / "docs" / "contracts.md").read_text()
    section = text.split("\n## Records that come in\n")[1].split("\n## ")[0]
    [block] = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    decoder, examples = json.JSONDecoder(), []
    while block.strip():
        example, end = decoder.raw_decode(block.lstrip())
        block = block.lstrip()[end:]
        examples.append(example)
    names = ["event", "telemetry", "typed-event", "typed-event", "sensor"]
    assert len(examples) == len(names)
    for example, name in zip(examples, names, strict=True):
        validator(name).validate(example)
        assert isinstance(decode_record(json.dumps(example).encode(), T0 + 1_000, 60_000), Reading)
