"""What the job does about lost records: each shard is told once, each partition counts its own, or the job stops."""

import logging
import time
from unittest.mock import Mock

import pytest

from fleetpulse.errors import FleetpulseError
from fleetpulse.frames.frame import Batch, unpack
from udfs import losses
from udfs.losses import Losses, LossPolicy

SHARDS = 16
AT_MS = 1_767_225_600_000


class Counters:
    """Counts by partition."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def add_group(self, name: str, value: str) -> Mock:
        assert name == "partition"
        self.counts[value] = 0

        def inc(records: int) -> None:
            self.counts[value] += records

        return Mock(counter=lambda _name: Mock(inc=inc))


def losing(monkeypatch: pytest.MonkeyPatch, counters: Counters, stop: bool = False) -> Losses:
    """A job that left off at 100 in every partition, of which nothing below 400 is left."""
    brokers = Mock(committed=lambda _topic, _partition: 100, log_start=lambda _topic, _partition: 400)
    monkeypatch.setattr(losses, "PartitionOffsets", lambda _servers, _group: brokers)
    return Losses(LossPolicy("broker:9092", "fleetpulse-x", ("events", "telemetry.raw"), stop), counters, SHARDS)


def batch(origin: int, offset: int, at_ms: int = AT_MS) -> Batch:
    return Batch([origin], [offset], [at_ms], [None], [b"{}"])


def test_each_shard_is_told_once_though_a_batch_has_room_for_few(monkeypatch: pytest.MonkeyPatch) -> None:
    losing_job = losing(monkeypatch, Counters())
    assert losing_job.look(batch(1, 400)) == AT_MS  # for the frames of the batch itself, of shards 0 and 1
    first = losing_job.notices({0, 1}, 5)
    assert losing_job.look(batch(1, 401)) == AT_MS
    second = losing_job.notices({2}, 50)
    assert sorted(shard for shard, _ in first + second) == list(range(2, SHARDS))
    assert len(first) == 5
    assert {unpack(frame).excused_until_ms for _, frame in first + second} == {AT_MS}
    assert losing_job.look(batch(1, 402)) == 0
    assert losing_job.notices({0}, 50) == []


def test_partitions_count_what_they_lost_and_show_0_before(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    counters = Counters()
    losing_job = losing(monkeypatch, counters)
    losing_job.look(batch(0, 100))
    assert counters.counts == {"events:0": 0}
    with caplog.at_level(logging.ERROR):
        losing_job.look(batch(65536 + 3, 400))
    assert counters.counts == {"events:0": 0, "telemetry.raw:3": 300}
    assert "300 records of telemetry.raw:3 were deleted before they were read" in caplog.text


def test_a_timestamp_ahead_of_all_clocks_excuses_nobody_for_the_future(monkeypatch: pytest.MonkeyPatch) -> None:
    losing_job = losing(monkeypatch, Counters())
    losing_job.look(batch(0, 400, at_ms=253_402_300_799_999))
    [(_, frame)] = losing_job.notices((), 1)
    assert unpack(frame).excused_until_ms <= time.time_ns() // 1_000_000


def test_a_job_that_is_to_stop_says_what_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    losing_job = losing(monkeypatch, Counters(), stop=True)
    losing_job.look(batch(0, 100))
    with pytest.raises(FleetpulseError, match=r"300 records of telemetry\.raw:3 were deleted.*--on\.data\.loss"):
        losing_job.look(batch(65536 + 3, 400))
