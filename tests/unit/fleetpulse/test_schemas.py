"""The schemas say what the code does: what it writes and what it takes fits them, and what it rejects does not."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from fleetpulse.records.reading import Reading, decode_record
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
