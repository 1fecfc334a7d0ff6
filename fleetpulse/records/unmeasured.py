"""Accepted records without any metric, so that no measurement vanishes without a count."""

from collections.abc import Sequence

from fleetpulse.records.batch import DecodedBatch
from fleetpulse.records.dialects import EVENT

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
        and _EVENT_ID not in (values[index] or b"")
        for index, row in enumerate(rows)
    )
