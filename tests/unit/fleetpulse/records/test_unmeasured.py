"""Accepted records that measure nothing are counted, in whatever batch they come."""

import pytest

from fleetpulse.records.avro import SCHEMA, SensorReadings, encode
from fleetpulse.records.batch import decode_batch
from fleetpulse.records.unmeasured import count_unmeasured

T0 = 1_767_225_600_000
MEASURED = (
    b'{"device_id":"d","humidity":40}',
    b'{"device_id":"d","event_type":"custom","payload":{"name":"co2","value":400}}',
    b'{"sensor_id":"s","sensor_type":"co2","value":400}',
)
UNMEASURED = (
    b'{"device_id":"d"}',
    b'{"device_id":"d","temp":21}',
    b'{"device_id":"d","event_type":"temperature","payload":{"reading":60}}',
    b'{"sensor_id":"s","sensor_type":"temperature"}',
)
EVENT = b'{"device-id":"d"}'
SEEMING_EVENTS = (
    b'{"device_id":"d","device-id":null}',
    b'{"device_id":"d","x":"device-id"}',
    b'{"device_id":"d","x":"\\"device-id\\":"}',
    b'{"device_id":"d","x":{"device-id":"e"}}',
    b'{"device_id":"d","device-id":"d","ts":%d}' % T0,
    b'{"sensor_id":"s","x":"device-id"}',
)
UNUSUAL_EVENTS = (
    b'{"device\\u002did":"d"}',
    b'{"device-id":"d","x":"device_id"}',
    b'{"device-id":"d","x":"\\n"}',
    b'{"device-id":"d","device_id":null}',
    b'{"device-id":"d","device_id":"d","time":%d}' % T0,
)
REJECTED = b'{"device_id":"d","humidity":"damp"}'


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ((), 0),
        (MEASURED, 0),
        (UNMEASURED, 4),
        (UNMEASURED[:2], 2),
        ((*MEASURED, *UNMEASURED), 4),
        ((UNMEASURED[0], EVENT, REJECTED, None, b"", *MEASURED), 1),
        ((EVENT, EVENT), 0),
        *(((value,), 1) for value in SEEMING_EVENTS),
        *(((value,), 0) for value in UNUSUAL_EVENTS),
        ((*UNUSUAL_EVENTS, *SEEMING_EVENTS), len(SEEMING_EVENTS)),
        ((REJECTED,), 0),
        ((MEASURED[0],) * 500, 0),
        ((MEASURED[0], UNMEASURED[0]) * 500, 500),
    ],
)
def test_a_record_without_a_metric_is_counted(values: tuple[bytes | None, ...], count: int) -> None:
    decoded = decode_batch(values, [T0] * len(values), 60_000)
    assert count_unmeasured(decoded, values) == count


def test_avro_without_a_metric_is_counted_whatever_its_bytes_are() -> None:
    values = [encode(7, {"device_id": device}) for device in ("d", '"device-id"', '"device_id" "device-id"')]
    decoded = decode_batch(values, [T0] * len(values), 60_000, avro=SensorReadings({7: SCHEMA}.__getitem__))
    assert not decoded.rejections
    assert count_unmeasured(decoded, values) == len(values)
