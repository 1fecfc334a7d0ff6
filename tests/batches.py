"""Batches of records, written down record by record."""

from collections.abc import Sequence

from fleetpulse.records import frames
from fleetpulse.records.batch import decode_batch
from fleetpulse.records.frames import Batch, Original


def pack(records: Sequence[Original], shards: int, max_future_skew_ms: int) -> dict[int, bytes]:
    """`frames.pack` of these records."""
    columns = zip(*records, strict=True) if records else [[]] * len(Original._fields)
    batch = Batch(*map(list, columns))
    return frames.pack(batch, decode_batch(batch.values, batch.kafka_times_ms, max_future_skew_ms), shards)
