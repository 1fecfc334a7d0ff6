"""Accepted records that measure nothing are counted, in whatever batch they come."""

import pytest

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
        ((REJECTED,), 0),
        ((MEASURED[0],) * 500, 0),
        ((MEASURED[0], UNMEASURED[0]) * 500, 500),
    ],
)
def test_a_record_without_a_metric_is_counted(values: tuple[bytes | None, ...], count: int) -> None:
    decoded = decode_batch(values, [T0] * len(values), 60_000)
    assert count_unmeasured(decoded, values) == count
