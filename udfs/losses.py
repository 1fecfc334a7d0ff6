"""What is done about records that were deleted before the job read them: count, log, tell the shards, or stop."""

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass

from pyflink.metrics import Counter, MetricGroup

from fleetpulse.errors import FleetpulseError
from fleetpulse.frames.frame import Batch, excuse, partition_name
from fleetpulse.frames.loss import Gap, LossWatch
from fleetpulse.kafka.offsets import PartitionOffsets

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LossPolicy:
    """Whose reading is followed, `topics` in the job's order, and whether the job stops where records are lost."""

    bootstrap_servers: str
    group: str
    topics: tuple[str, ...]
    stop: bool


class Losses:
    """The lost records of one subtask.

    Args:
        policy: whose records, and what to do.
        metrics: where they are counted, by partition.
        shards: how many there are; each is told.
    """

    def __init__(self, policy: LossPolicy, metrics: MetricGroup, shards: int) -> None:
        self._policy, self._metrics, self._shards = policy, metrics, shards
        self._offsets = offsets = PartitionOffsets(policy.bootstrap_servers, policy.group)
        self._watch = LossWatch(
            lambda origin: offsets.committed(*self._partition(origin)),
            lambda origin: offsets.log_start(*self._partition(origin)),
        )
        self._counters: dict[int, Counter] = {}
        self._excused_until_ms = 0
        self._untold: set[int] = set()  # shards that do not know it yet

    def look(self, batch: Batch) -> int:
        """Look for what is missing before or within a batch.

        Returns:
            Up to when (epoch ms) nobody is to be taken for silent, for the frames of the batch; 0 where all know it.

        Raises:
            FleetpulseError: records are lost, and the job is to stop.
        """
        for origin in set(batch.origins) - self._counters.keys():
            by_partition = self._metrics.add_group("partition", partition_name(self._policy.topics, origin))
            self._counters[origin] = by_partition.counter("fleetpulse_records_lost")
            self._counters[origin].inc(0)  # a counter that was never touched is not shown
        for origin, gap in self._watch.lost(batch.origins, batch.offsets, batch.kafka_times_ms).items():
            self._take(origin, gap)
        return self._excused_until_ms if self._untold else 0

    def _take(self, origin: int, gap: Gap) -> None:
        name = partition_name(self._policy.topics, origin)
        lost = f"{gap.records} records of {name} were deleted before they were read"
        if self._policy.stop:
            raise FleetpulseError(f"{lost}: submit with --on.data.loss continue to go on without them")
        _logger.error("%s; nobody is taken for silent because of them", lost)
        self._counters[origin].inc(gap.records)
        until_ms = min(gap.until_ms, time.time_ns() // 1_000_000)  # a timestamp may be ahead of all clocks
        self._excused_until_ms = max(until_ms, self._excused_until_ms)
        self._untold = set(range(self._shards))

    def notices(self, told: Collection[int], rows: int) -> list[tuple[int, bytes]]:
        """Frames for shards that have none in the batch, by shard, at most so many; the others get theirs later."""
        self._untold -= set(told)
        now = sorted(self._untold)[:rows]
        self._untold -= set(now)
        return [(shard, excuse(self._excused_until_ms)) for shard in now]

    def close(self) -> None:
        """Let go of the brokers."""
        self._offsets.close()

    def _partition(self, origin: int) -> tuple[str, int]:
        topic, _, partition = partition_name(self._policy.topics, origin).rpartition(":")
        return topic, int(partition)
