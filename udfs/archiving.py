"""The crossing for the archive: batches of records in, batches of readings out, as the database takes them."""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import pandas as pd
from pyflink.table.udf import FunctionContext, ScalarFunction

from fleetpulse.kafka.schema_registry import sensor_readings
from fleetpulse.records.batch import DecodedBatch, decode_batch
from fleetpulse.records.documents import documents

BATCH_READINGS = 1000
_OWN_COLUMNS = ("temperature_c", "humidity", "lat", "lon", "battery")


class ToReadings(ScalarFunction):
    """A vectorized function that decodes a batch into JSON arrays of readings, see `batches`.

    It returns as many rows as it gets, as Flink asks of a scalar function: the first carry an array, the rest are null.

    Args:
        max_future_skew_ms: see `records.reading.decode_record`.
        registry_url: of the registry of Avro schemas; without one, Avro is malformed.
    """

    def __init__(self, max_future_skew_ms: int, registry_url: str | None = None) -> None:
        self._max_future_skew_ms = max_future_skew_ms
        self._registry_url = registry_url

    def open(self, function_context: FunctionContext) -> None:  # noqa: ARG002 the registry needs nothing of it
        self._avro = sensor_readings(self._registry_url)

    def is_deterministic(self) -> bool:
        """No, or the planner evaluates it twice: for the filter and for the projection."""
        return False

    def eval(
        self, value: pd.Series, topic: pd.Series, partition: pd.Series, offset: pd.Series, kafka_time: pd.Series
    ) -> pd.Series:
        kafka_times_ms = kafka_time.to_numpy("datetime64[ms]").view("int64").tolist()
        decoded = decode_batch(value.tolist(), kafka_times_ms, self._max_future_skew_ms, avro=self._avro)
        indices = zip(topic.tolist(), partition.tolist(), offset.tolist(), strict=True)
        rows = np.full(len(value), None, dtype=object)
        for index, batch in enumerate(batches(decoded, [f"{t}:{p}:{o}" for t, p, o in indices])):
            rows[index] = batch
        return pd.Series(rows)


def batches(decoded: DecodedBatch, origins: Sequence[str]) -> Iterator[str]:
    """The readings of a decided batch as JSON arrays of objects, as `readings_ingest` takes them in its column `batch`.

    Args:
        decoded: the batch. Its rejected records are left out: the deciding jobs write the dead letters.
        origins: where each of its records was read, `topic:partition:offset`.
    """
    readings = list(documents(decoded, origins, _OWN_COLUMNS))
    for start in range(0, len(readings), BATCH_READINGS):
        yield msgspec.json.encode(readings[start : start + BATCH_READINGS]).decode()
