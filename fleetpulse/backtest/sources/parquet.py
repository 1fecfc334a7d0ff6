"""History in Parquet: a folder of files as cold storage writes them, at any depth."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fleetpulse.backtest.sources.history import Chunk, Stream, chunk_size, since
from fleetpulse.errors import ConfigurationError

# The columns of a record, and what they are read as.
_VALUE, _TOPIC, _PARTITION, _OFFSET, _KAFKA_TIME = COLUMNS = ("value", "topic", "partition", "offset", "kafka_time")
_TYPES = {_VALUE: pa.binary(), _OFFSET: pa.int64(), _KAFKA_TIME: pa.timestamp("ms")}


class _Piece(NamedTuple):
    """The records of one partition in one file. Sorts by the first offset."""

    topic: str
    partition: int
    first_offset: int
    file: Path


def streams(folder: Path, from_ms: int | None) -> list[Stream]:
    """Return the records of the files below a folder, by Kafka timestamp from an instant on.

    Raises:
        ConfigurationError: there are none, or they hold something else.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not _is_hidden(path.relative_to(folder)))
    if not files:
        raise ConfigurationError(f"--parquet: {folder} holds no files")
    pieces = sorted(piece for file in files for piece in _pieces(file))
    partitions = list(dict.fromkeys((piece.topic, piece.partition) for piece in pieces))
    size = chunk_size(len(partitions))
    return [
        Stream(*partition, since(_chunks([piece for piece in pieces if piece[:2] == partition], size), from_ms))
        for partition in partitions
    ]


def _is_hidden(path: Path) -> bool:
    """Whether it is an unfinished file or a mark of success beside the data."""
    return any(part.startswith((".", "_")) for part in path.parts)


def _pieces(file: Path) -> Iterator[_Piece]:
    try:
        opened = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as failed:  # Arrow raises an OSError without a number for a broken footer
        reason = f"cannot be read: {failed.strerror}" if getattr(failed, "errno", None) else "is not a Parquet file"
        raise ConfigurationError(f"--parquet: {file} {reason}") from None
    try:
        table = opened.read([_TOPIC, _PARTITION, _OFFSET])
        firsts = table.group_by([_TOPIC, _PARTITION]).aggregate([(_OFFSET, "min")]).to_pylist()
    except (pa.ArrowException, KeyError) as bad:
        raise ConfigurationError(f"--parquet: {file} has no columns {', '.join(COLUMNS)}: {bad}") from None
    for row in firsts:
        yield _Piece(row[_TOPIC], row[_PARTITION], row[f"{_OFFSET}_min"], file)


def _chunks(pieces: list[_Piece], size: int) -> Iterator[Chunk]:
    for piece in pieces:
        for batch in _batches(piece.file, size):
            mine = pc.and_(pc.equal(batch[_TOPIC], piece.topic), pc.equal(batch[_PARTITION], piece.partition))
            rows = batch.filter(mine)
            yield Chunk(
                _plain(_column(rows, _OFFSET)),
                _plain(_column(rows, _KAFKA_TIME).cast(pa.int64())),
                _plain(_column(rows, _VALUE)),
            )


def _batches(file: Path, size: int) -> Iterator[pa.RecordBatch]:
    """The rows of a file.

    Raises:
        ConfigurationError: a page in it cannot be read.
    """
    try:
        yield from pq.ParquetFile(file).iter_batches(size, columns=list(COLUMNS))
    except (pa.ArrowException, OSError) as failed:
        raise ConfigurationError(f"--parquet: {file} cannot be read: {failed}") from None


def _column(rows: Any, name: str) -> Any:
    return rows[name].cast(_TYPES[name], safe=False)


def _plain(column: Any) -> Any:
    """The column as a list; by way of numpy this takes a fraction of what Arrow's own way takes."""
    return column.to_numpy(zero_copy_only=False).tolist()
