"""Batches of records, written down record by record."""

from collections.abc import Sequence

from fleetpulse.frames import frame
from fleetpulse.frames.frame import Batch, Original
from fleetpulse.frames.order import PartitionOrder
from fleetpulse.records.batch import decode_batch


def pack(
    records: Sequence[Original], shards: int, max_future_skew_ms: int, order: PartitionOrder | None = None
) -> dict[int, bytes]:
    """`frames.pack` of these records, which come in the order of `order`; without it the partitions begin here."""
    columns = zip(*records, strict=True) if records else [[]] * len(Original._fields)
    batch = Batch(*map(list, columns))
    decoded = decode_batch(batch.values, batch.kafka_times_ms, max_future_skew_ms)
    arrivals = frame.arrivals_of(batch, decoded, order or PartitionOrder(2_000))
    return frame.pack(batch, decoded, arrivals, shards)
