"""Batches of records, written down record by record."""

from collections.abc import Sequence

from fleetpulse.records import frames
from fleetpulse.records.batch import decode_batch
from fleetpulse.records.frames import Batch, Original
from fleetpulse.records.order import PartitionOrder


def pack(
    records: Sequence[Original], shards: int, max_future_skew_ms: int, order: PartitionOrder | None = None
) -> dict[int, bytes]:
    """`frames.pack` of these records, which come in the order of `order`; without it the partitions begin here."""
    columns = zip(*records, strict=True) if records else [[]] * len(Original._fields)
    batch = Batch(*map(list, columns))
    decoded = decode_batch(batch.values, batch.kafka_times_ms, max_future_skew_ms)
    arrivals = frames.arrivals_of(batch, decoded, order or PartitionOrder(2_000))
    return frames.pack(batch, decoded, arrivals, shards)
