import json
import math
from dataclasses import replace

import pytest

from fleetpulse.records.avro import SCHEMA, SensorReadings, UnknownSchemaError
from generator.payloads.avro import BROKEN_BYTES, BROKEN_FIELDS
from generator.payloads.malformed import KINDS, TOO_LARGE, choose, value_of
from generator.payloads.stream import records
from generator.scenario import Dialect
from tests.unit.generator.fleets import QUIET, START_MS


def schema_of(schema_id):
    if schema_id != 42:
        raise UnknownSchemaError(schema_id)
    return SCHEMA


READINGS = SensorReadings(schema_of)
SHORT = replace(QUIET, devices=3, duration_ms=5_000, schema_id=42)


def test_avro_says_what_telemetry_says():
    in_avro = list(records(replace(SHORT, dialect=Dialect.AVRO)))
    in_json = list(records(replace(SHORT, dialect=Dialect.TELEMETRY)))

    assert len(in_avro) == len(in_json) == 15
    for avro, telemetry in zip(in_avro, in_json, strict=True):
        (fields, _), said = READINGS.fields_of(avro.value), json.loads(telemetry.value)
        assert fields["ts"] == avro.timestamp_ms
        assert {name: fields[name] for name in said if name != "ts"} == {n: v for n, v in said.items() if n != "ts"}
        assert avro._replace(value=None) == telemetry._replace(value=None)


def broken(how):
    kind = next(kind for kind in KINDS[Dialect.AVRO] if kind.template == how)
    return kind, value_of(kind, Dialect.AVRO, "d1", START_MS, 42)


@pytest.mark.parametrize("how", BROKEN_BYTES)
def test_broken_bytes_cannot_be_decoded(how):
    kind, value = broken(how)

    with pytest.raises({"malformed": ValueError, "unknown_schema": UnknownSchemaError}[kind.reason]):
        READINGS.fields_of(value)


@pytest.mark.parametrize("how", BROKEN_FIELDS)
def test_broken_fields_can_be_decoded_and_are_as_meant(how):
    kind, value = broken(how)
    fields, _ = READINGS.fields_of(value)

    [(name, meant)] = BROKEN_FIELDS[how][1].items()
    assert kind.reason == BROKEN_FIELDS[how][0]
    assert fields[name] == meant or (math.isnan(fields[name]) and math.isnan(meant))


def test_every_broken_kind_is_chosen_at_some_time():
    chosen = {choose(Dialect.AVRO, bits) for bits in range(64 * 200)}

    assert chosen == {*KINDS[Dialect.AVRO], TOO_LARGE}
    assert len(value_of(TOO_LARGE, Dialect.AVRO, "d1", START_MS, 42)) > 1 << 20
