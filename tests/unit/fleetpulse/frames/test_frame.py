"""Frames carry every record of a batch, each to the shard of its device."""

import pytest

from fleetpulse.frames.frame import VERSION, Original, Span, originals_of, unpack
from fleetpulse.frames.sharding import shard_of
from fleetpulse.records.reasons import Reason
from fleetpulse.times import LAST_MS
from tests.batches import pack

T0 = 1_767_225_600_000


def telemetry(i: int, partition: int = 0) -> Original:
    value = b'{"device_id":"d%d","ts":%d}' % (i, T0 + i)
    return Original(partition, i, T0 + i, b"d%d" % i, value)


def test_every_record_travels_with_its_shard():
    records = [telemetry(i) for i in range(500)]
    frames = {shard: unpack(data) for shard, data in pack(records, 16, 60_000).items()}
    assert len(frames) == 16
    assert sorted(o.offset for f in frames.values() for o in originals_of(f)) == list(range(500))
    for shard, frame in frames.items():
        assert {shard_of(device, 16) for device in frame.readings.devices} == {shard}


def test_columns_and_originals_run_in_parallel():
    (frame,) = [unpack(data) for data in pack([telemetry(1), telemetry(2)], 1, 60_000).values()]
    assert frame.readings.devices == ["d1", "d2"]
    assert frame.readings.event_times_ms == frame.seen_times_ms == [T0 + 1, T0 + 2]
    assert originals_of(frame) == [telemetry(1), telemetry(2)]


def test_seen_time_is_never_after_the_kafka_timestamp():
    ahead = Original(0, 0, T0, None, b'{"device_id":"d1","ts":%d}' % (T0 + 30_000))
    (frame,) = [unpack(data) for data in pack([ahead], 1, 60_000).values()]
    assert (frame.readings.event_times_ms, frame.seen_times_ms) == ([T0 + 30_000], [T0])


def test_spans_count_what_was_read_of_each_partition():
    records = [telemetry(0), telemetry(1, partition=3), Original(3, 9, T0, None, None)]
    (frame,) = [unpack(data) for data in pack(records, 1, 60_000).values()]
    assert sorted(frame.spans) == [Span(0, 1, 1), Span(3, 2, 10)]


def test_rejected_records_keep_their_bytes():
    bad = Original(2, 5, T0, b"\x00key", b"\xff\x00")
    (frame,) = [unpack(data) for data in pack([bad], 16, 60_000).values()]
    (rejected,) = frame.rejected
    assert (rejected.reason, rejected.original, rejected.device_id) == (Reason.MALFORMED, bad, None)


def test_a_frame_of_another_version_is_refused():
    (data,) = pack([telemetry(1)], 1, 60_000).values()
    other = data.replace(bytes([0x98, VERSION]), bytes([0x98, VERSION + 1]), 1)
    with pytest.raises(ValueError, match="frame version 5, expected 4"):
        unpack(other)


def test_no_record_no_frame():
    assert pack([], 16, 60_000) == {}


@pytest.mark.parametrize("time", [10**29, 9 * 10**17 * 10**9, 253_402_300_799_999 * 10**6 + 10**6])
def test_a_time_beyond_all_clocks_still_fits_into_a_frame(time):
    record = Original(0, 0, T0, None, b'{"device_id":"d1","ts":%d}' % time)
    [frame] = [unpack(data) for data in pack([record], 1, 60_000).values()]
    assert frame.rejected[0].ahead_ms == LAST_MS - T0
