"""No bytes whatever stop what reads them: a hundred thousand bent records here, a million in `make fuzz`.

FUZZ_MUTATIONS says how many, FUZZ_SEED which ones; a failure names both.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from fleetpulse.errors import FleetpulseError
from fleetpulse.frames.frame import Batch, arrivals_of, pack, unpack
from fleetpulse.frames.order import PartitionOrder
from fleetpulse.kafka.schema_registry import Registry
from fleetpulse.records.avro import SCHEMA, SensorReadings, UnknownSchemaError, encode, head
from fleetpulse.records.batch import decode_batch
from fleetpulse.records.dialects import NOWHERE
from fleetpulse.records.documents import documents
from fleetpulse.records.metrics import UNITS
from fleetpulse.records.reading import Reading, Rejection, decode_avro, decode_record
from fleetpulse.records.reasons import Reason
from fleetpulse.records.unmeasured import count_unmeasured
from fleetpulse.rulefiles.files import load
from fleetpulse.rules import versions
from fleetpulse.rules.parts import RuleError
from fleetpulse.rules.versions import Version
from fleetpulse.times import LAST_MS
from generator.payloads.stream import records
from generator.scenario import Dialect, Scenario
from tests.bad_records import CASES, KAFKA_TIME_MS
from tests.mutations import mutations

MUTATIONS = int(os.environ.get("FUZZ_MUTATIONS", "100000"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
SKEW_MS = 60_000
BATCH = 500
JSON_DIALECTS = [Dialect.EVENT, Dialect.TELEMETRY, Dialect.SENSOR, Dialect.TYPED]
SHARE = MUTATIONS // (len(JSON_DIALECTS) + 1)
TIMES_MS = [*[KAFKA_TIME_MS] * 12, -1, 0, 1, LAST_MS - SKEW_MS, LAST_MS, LAST_MS + 1, 1 << 62]

WIDER = {
    **SCHEMA,
    "fields": [
        {"name": "device_id", "type": ["string", "bytes"]},
        {"name": "ts", "type": ["null", "string", "double", {"type": "long", "logicalType": "timestamp-nanos"}]},
        {"name": "x", "type": {"type": "array", "items": {"type": "map", "values": ["null", "long"]}}},
        {"name": "temperature_c", "type": ["null", "double", "string", "boolean"]},
    ],
}
SCHEMAS: dict[int, object] = {1: SCHEMA, 2: WIDER, 3: {**SCHEMA, "fields": []}, 4: "string"}


def schema_of(schema_id: int) -> object:
    if schema_id not in SCHEMAS:
        raise UnknownSchemaError(schema_id)
    return SCHEMAS[schema_id]


AVRO = SensorReadings(schema_of)


def alone(value: bytes, kafka_time_ms: int) -> Reading | Rejection:
    """One record, decided without the guard that would hide what is raised."""
    if value[:1] == b"\0":
        return decode_avro(value, AVRO, kafka_time_ms, SKEW_MS)
    return decode_record(value, kafka_time_ms, SKEW_MS)


def survives(seeds: list[bytes], seed: int, count: int) -> None:
    """Decide mutations one by one and in batches, and do all with them that jobs, archive and index do."""
    values = list(mutations(seeds, count, seed))
    for start in range(0, count, BATCH):
        lot = values[start : start + BATCH]
        times_ms = [
            TIMES_MS[(start + at) % len(TIMES_MS)] if start % 3 == 0 else KAFKA_TIME_MS for at in range(len(lot))
        ]
        batch = decode_batch(lot, times_ms, SKEW_MS, avro=AVRO)
        for index, (value, time_ms) in enumerate(zip(lot, times_ms, strict=True)):
            expected = alone(value, time_ms)
            metrics = {name: column[index] for name, column in batch.columns.items() if column[index] is not None}
            location = batch.locations[index] if batch.locations else NOWHERE
            reading = Reading(
                batch.devices[index], batch.event_times_ms[index], metrics | batch.others.get(index, {}), location
            )
            decided = batch.rejections.get(index, reading)
            assert decided == expected, (value, time_ms)
            assert not isinstance(decided, Rejection) or decided.reason is not Reason.INTERNAL_ERROR
        origins = [f"t:0:{start + at}" for at in range(len(lot))]
        found = list(documents(batch, origins, UNITS))
        assert len(found) + len(batch.rejections) == len(lot)
        assert json.loads(msgspec.json.encode(found)) == found
        texts = [text for document in found for text in document.values() if isinstance(text, str)]
        assert not any("\0" in text for text in texts)  # PostgreSQL's text cannot hold it
        rows = Batch([0] * len(lot), list(range(len(lot))), times_ms, [None] * len(lot), lot)
        frames = pack(rows, batch, arrivals_of(rows, batch, PartitionOrder(2_000)), 4)
        assert sum(len(unpack(frame).rejected) for frame in frames.values()) == len(batch.rejections)
        assert 0 <= count_unmeasured(batch, lot) <= len(found)


def sent(dialect: Dialect) -> list[bytes]:
    """Good records of a dialect."""
    scenario = Scenario(1, 20, 1_000, KAFKA_TIME_MS - 3_000, 3_000, dialect)
    return [record.value for record in records(scenario) if record.value]


@pytest.mark.parametrize("dialect", JSON_DIALECTS, ids=lambda dialect: dialect.value)
def test_no_json_stops_the_decoder(dialect: Dialect) -> None:
    odd = [value for value, _ in CASES.values() if value is not None and len(value) < 300]
    survives(sent(dialect) * 3 + odd, SEED + JSON_DIALECTS.index(dialect), SHARE)


def test_no_avro_stops_the_decoder() -> None:
    fields = {"device_id": "d1", "ts": KAFKA_TIME_MS, "temperature_c": 21.5, "humidity": 40.0}
    ours = [encode(schema_id, fields) for schema_id in (1, 1, 2, 3, 4, 5)]
    survives(
        [*ours, encode(1, {"device_id": "d1"}), head(2) + b"\0\4d1\6" + b"\x80" * 9 + b"\1" + b"\0\0"], SEED, SHARE
    )


def test_no_schema_stops_the_decoder() -> None:
    values = [encode(7, {"device_id": "d1", "ts": KAFKA_TIME_MS}), head(7) + b"\0" * 20]
    for text in mutations([json.dumps(schema).encode() for schema in SCHEMAS.values()], MUTATIONS // 50, SEED):
        try:
            schema = json.loads(text)
        except (ValueError, RecursionError):
            continue
        avro = SensorReadings(lambda _id, schema=schema: schema)
        for value in values:
            decode_avro(value, avro, KAFKA_TIME_MS, SKEW_MS)


class _Answers:
    """In place of a registry's connection: gives the answer it was given."""

    name = "the registry"

    def __init__(self) -> None:
        self.answer = requests.Response()

    def repeat(self, ask: Any) -> Any:
        return ask()

    def request(self, *_: object, **__: object) -> requests.Response:
        return self.answer


def test_no_answer_of_a_registry_is_more_than_one_line() -> None:
    answers = _Answers()
    good = [{"schema": json.dumps(SCHEMA)}, {"error_code": 40403, "message": "Schema not found"}, {"id": 7}]
    registry = Registry("http://registry")
    registry._client = answers  # type: ignore[assignment]
    for body in mutations([json.dumps(answer).encode() for answer in good], MUTATIONS // 20, SEED):
        registry._schemas.clear()
        registry._unknown.clear()
        answers.answer.status_code, answers.answer._content = 200, body
        for ask in (lambda: registry.schema(7), lambda: registry.register("x", SCHEMA)):
            with suppress(FleetpulseError, UnknownSchemaError):
                ask()


RULES = sorted(path for path in Path("rules").glob("*.yaml"))


def test_no_record_of_the_rules_topic_is_more_than_refused() -> None:
    published = [versions.encode(Version(7, KAFKA_TIME_MS, load(path))) for path in RULES]
    for record in mutations(published, MUTATIONS // 50, SEED):
        with suppress(RuleError):
            versions.decode(record)
