"""Records in Avro are decided by the rules that hold for JSON, alone and among others."""

import pytest

from fleetpulse.records.avro import SCHEMA, SensorReadings, UnknownSchemaError, encode
from fleetpulse.records.batch import decode_batch
from fleetpulse.records.reading import Reading, Rejection, decode_avro
from fleetpulse.records.reasons import Reason
from generator.payloads.avro import BROKEN_BYTES, BROKEN_FIELDS, broken
from tests.unit.fleetpulse.records.test_reading import reading_at

T0 = 1_767_225_600_000
SKEW_MS = 60_000
GOOD = encode(7, {"device_id": "d1", "ts": T0 - 5, "temperature_c": 21.5, "lat": 48.0})
ALIVE = {Reason.BAD_TIME, Reason.FUTURE_TIMESTAMP, Reason.WRONG_TYPE}


def schema_of(schema_id: int) -> object:
    if schema_id != 7:
        raise UnknownSchemaError(schema_id)
    return SCHEMA


AVRO = SensorReadings(schema_of)


def judged(value: bytes) -> Reading | Rejection:
    return decode_avro(value, AVRO, T0, SKEW_MS)


def test_a_record_tells_what_its_schema_names():
    assert judged(GOOD) == Reading("d1", T0 - 5, {"temperature_c": 21.5, "lat": 48.0})
    assert judged(encode(7, {"device_id": "d1"})) == Reading("d1", T0)


@pytest.mark.parametrize(
    "how", [how for how in BROKEN_BYTES | BROKEN_FIELDS if how not in ("another magic byte", "JSON")]
)
def test_what_is_broken_is_rejected_for_its_reason(how):
    reason = Reason((BROKEN_BYTES | BROKEN_FIELDS)[how][0])
    rejection = judged(broken(how, 7, "d1", T0))
    assert rejection.reason is reason
    assert (rejection.device_id, rejection.seen_at_ms is None) == (("d1", False) if reason in ALIVE else (None, True))


def test_a_value_of_more_than_1_mib_is_too_large():
    assert judged(GOOD + b"\0" * (1 << 20)).reason is Reason.TOO_LARGE


def test_avro_and_json_may_share_a_batch():
    json = b'{"device_id":"d2","ts":%d,"humidity":40}' % T0
    values = [json, GOOD, b"", *[json] * 200, GOOD]
    batch = decode_batch(values, [T0] * len(values), SKEW_MS, avro=AVRO)
    assert [reading_at(batch, place) for place in (0, 1, 100, 203)] == [
        Reading("d2", T0, {"humidity": 40}),
        judged(GOOD),
        Reading("d2", T0, {"humidity": 40}),
        judged(GOOD),
    ]
    assert batch.rejections == {2: Rejection(Reason.EMPTY)}


def test_without_a_registry_avro_is_malformed():
    assert decode_batch([GOOD], [T0], SKEW_MS).rejections == {0: Rejection(Reason.MALFORMED)}
