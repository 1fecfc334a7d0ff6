"""Accepted records without any metric: a fleet whose measurements are not read shows in their count."""

from collections.abc import Sequence

from fleetpulse.records.batch import DecodedBatch
from fleetpulse.records.dialects import EVENT, dialect_of
from fleetpulse.records.parsing import ID_NAMES, JsonObject, parse

_EVENT_ID = f'"{EVENT.device_id}"'.encode()


def count_unmeasured(decoded: DecodedBatch, values: Sequence[bytes | None]) -> int:
    """How many accepted records of a batch measure nothing, events left out: they never do.

    Args:
        decoded: the batch, decoded with `measured`.
        values: its records' values.
    """
    columns = decoded.columns.values()
    if any(None not in column for column in columns):
        return 0
    rows = zip(*columns, strict=True) if columns else [()] * len(values)
    return sum(
        row.count(None) == len(row)
        and index not in decoded.others
        and index not in decoded.rejections
        and not _is_event(values[index] or b"")
        for index, row in enumerate(rows)
    )


def _is_event(value: bytes) -> bool:
    """Whether an accepted record is an event. Without escapes, the only name of an id in it is that of its id."""
    if value.startswith(b"\0"):  # Avro
        return False
    names = [name for name in ID_NAMES if name in value]
    if len(names) == 1 and b"\\" not in value:
        return names[0] == _EVENT_ID
    fields = parse(value)
    return isinstance(fields, JsonObject) and dialect_of(fields) is EVENT
