"""The crossing into Python: Arrow batches of records in, frames out."""

import time

import numpy as np
import pandas as pd
from pyflink.table.udf import FunctionContext, ScalarFunction

from fleetpulse.frames.frame import Batch, arrivals_of, pack
from fleetpulse.frames.order import PartitionOrder
from fleetpulse.kafka.schema_registry import sensor_readings
from fleetpulse.records.batch import decode_batch
from fleetpulse.records.unmeasured import count_unmeasured
from udfs.losses import Losses, LossPolicy


class ToFrames(ScalarFunction):
    """A vectorized function that packs a batch into frames, one a shard.

    It returns as many rows as it gets, as Flink asks of a scalar function: the first carry a shard's key and frame,
    the rest are null.

    Args:
        shard_keys: the Flink key of each shard.
        max_future_skew_ms: see `records.reading.decode_record`.
        out_of_orderness_ms: how far records may be out of order.
        measured: see `records.batch.decode_batch`.
        registry_url: of the registry of Avro schemas; without one, Avro is malformed.
        loss: what to do about records that are lost; without it nobody looks.
    """

    def __init__(
        self,
        shard_keys: tuple[int, ...],
        max_future_skew_ms: int,
        out_of_orderness_ms: int,
        measured: bool,
        registry_url: str | None = None,
        loss: LossPolicy | None = None,
    ) -> None:
        self._shard_keys = shard_keys
        self._max_future_skew_ms = max_future_skew_ms
        self._measured = measured
        self._registry_url = registry_url
        self._order = PartitionOrder(out_of_orderness_ms)
        self._loss = loss
        self._losses: Losses | None = None

    def open(self, function_context: FunctionContext) -> None:
        metrics = function_context.get_metric_group()
        self._out_of_order = metrics.counter("fleetpulse_records_out_of_order")
        self._unmeasured = metrics.counter("fleetpulse_records_without_metrics")
        if self._loss is not None:
            self._losses = Losses(self._loss, metrics, len(self._shard_keys))
        self._avro = sensor_readings(self._registry_url)

    def close(self) -> None:
        if self._losses is not None:
            self._losses.close()

    def is_deterministic(self) -> bool:
        """No, or the planner evaluates it twice: for the filter and for the projection."""
        return False

    def eval(
        self, key: pd.Series, value: pd.Series, origin: pd.Series, offset: pd.Series, kafka_time: pd.Series
    ) -> pd.DataFrame:
        kafka_times_ms = kafka_time.to_numpy("datetime64[ms]").view("int64")
        batch = Batch(*(column.tolist() for column in (origin, offset, kafka_times_ms, key, value)))
        decoded = decode_batch(batch.values, batch.kafka_times_ms, self._max_future_skew_ms, self._measured, self._avro)
        # A producer whose clock is ahead of ours makes no record of others belated.
        latest_ms = time.time_ns() // 1_000_000 + self._max_future_skew_ms
        arrivals = arrivals_of(batch, decoded, self._order, latest_ms)
        self._out_of_order.inc(self._order.out_of_order)
        self._order.out_of_order = 0
        if self._measured:
            self._unmeasured.inc(count_unmeasured(decoded, batch.values))
        excused_until_ms = self._losses.look(batch) if self._losses is not None else 0
        packed = pack(batch, decoded, arrivals, len(self._shard_keys), excused_until_ms)
        frames = list(packed.items())
        if self._losses is not None:
            frames += self._losses.notices(packed, len(value) - len(frames))
        rows = np.full((2, len(value)), None, dtype=object)
        for index, (shard, frame) in enumerate(frames):
            rows[:, index] = self._shard_keys[shard], frame
        return pd.DataFrame({"shard_key": rows[0], "frame": rows[1]})
