"""What the Flink function does, without Flink."""

from fleetpulse.alerts import Revision
from fleetpulse.frames.frame import Original
from fleetpulse.frames.order import PartitionOrder
from fleetpulse.shard.clock import Broker
from fleetpulse.shard.shard import Shard, ShardPolicy
from tests.batches import pack

SKEW_MS, BOUND_MS = 60_000, 2_000


class Keyed:
    """Shards by key, each with its state, restarted at will."""

    def __init__(self, policy: ShardPolicy) -> None:
        self.policy = policy
        self.state: dict[int, dict[int, bytes]] = {}
        self.shards: dict[int, Shard] = {}
        self.outputs: list = []
        self.order = PartitionOrder(BOUND_MS)
        self.broker: Broker | None = None

    def shard(self, key: int) -> Shard:
        if key not in self.shards:
            self.shards[key] = Shard(self.policy, key, self.state.setdefault(key, {}))
        return self.shards[key]

    def accept(self, records: list[Original]) -> None:
        for key, frame in pack(records, self.policy.shards, SKEW_MS, self.order).items():
            self.outputs += self.shard(key).accept(frame, self.broker)
            self._write(key)

    def tick(self, tick_ms: int) -> None:
        for key in range(self.policy.shards):
            self.shard(key).tick(tick_ms, self.broker)
            self._write(key)

    def learn(self, record: bytes) -> None:
        for key in range(self.policy.shards):
            self.shard(key).learn(record)
            self._write(key)

    def advance(self, watermark_ms: int) -> None:
        for key in range(self.policy.shards):
            self.outputs += self.shard(key).advance(watermark_ms)
            self._write(key)

    def _write(self, key: int) -> None:
        puts, removals = self.shards[key].take_writes()
        self.state[key].update(puts)
        for gone in removals:
            self.state[key].pop(gone, None)

    def restart(self) -> None:
        """Forget all that is not in keyed state."""
        self.shards.clear()
        self.order = PartitionOrder(BOUND_MS)

    def alerts(self) -> list[tuple]:
        return sorted(
            (str(r.alert_id), r.revision, r.state, r.opened_at_ms, r.changed_at_ms)
            for r in self.outputs
            if isinstance(r, Revision)
        )

    def counts(self) -> tuple[int, int, int, int]:
        counts = [count for shard in self.shards.values() for count in shard.counts.values()]
        rejected = sum(sum(c.rejected.values()) for c in counts)
        return sum(c.read for c in counts), sum(c.on_time for c in counts), sum(c.late for c in counts), rejected
