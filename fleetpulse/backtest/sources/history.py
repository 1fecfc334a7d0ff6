"""History: recorded records, one stream for each partition, from any storage."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from fleetpulse.frames.frame import Batch

CHUNK = 50_000  # records that are decided at once, of all streams together


class Chunk(NamedTuple):
    """Records of one partition in the order of their offsets, in columns."""

    offsets: Sequence[int]
    kafka_times_ms: Sequence[int]
    values: Sequence[bytes | None]

    def only(self, indices: Sequence[int]) -> "Chunk":
        """The records at `indices`."""
        offsets, kafka_times_ms, values = self
        return Chunk(
            [offsets[index] for index in indices],
            [kafka_times_ms[index] for index in indices],
            [values[index] for index in indices],
        )

    def part(self, start: int, end: int) -> "Chunk":
        """The records from `start` on, before `end`."""
        offsets, kafka_times_ms, values = self
        return Chunk(offsets[start:end], kafka_times_ms[start:end], values[start:end])

    def batch(self, origin: int) -> Batch:
        """The batch for the decoder; keys are not needed."""
        count = len(self.values)
        return Batch([origin] * count, self.offsets, self.kafka_times_ms, [None] * count, self.values)


class Stream(NamedTuple):
    """The records of one partition from an instant on."""

    topic: str
    partition: int
    chunks: Iterator[Chunk]


def since(chunks: Iterable[Chunk], from_ms: int | None) -> Iterator[Chunk]:
    """Without the records whose Kafka timestamp is before an instant, and without chunks that are empty then."""
    for chunk in chunks:
        if from_ms is not None and chunk.values and min(chunk.kafka_times_ms) < from_ms:
            chunk = chunk.only([at for at, time_ms in enumerate(chunk.kafka_times_ms) if time_ms >= from_ms])
        if chunk.values:
            yield chunk


def chunk_size(streams: int) -> int:
    """How many records to take of a stream at once, where so many are read side by side."""
    return max(1_000, CHUNK // max(1, streams))
