"""Readings as JSON objects, with the names of the table and the index `sensor_readings`."""

import logging
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from fleetpulse.records.batch import DecodedBatch
from fleetpulse.times import iso

_logger = logging.getLogger(__name__)


def documents(decoded: DecodedBatch, origins: Sequence[str], own_names: Collection[str]) -> Iterator[dict[str, Any]]:
    """Return the readings of a decoded batch, without its rejected records.

    Args:
        decoded: the batch.
        origins: where each of its records was read, `topic:partition:offset`.
        own_names: the metrics with a field of their own; all others are below `metrics`.
    """
    for index in range(len(decoded.devices)):
        if index not in decoded.rejections:
            try:
                document = _document(decoded, index, origins[index], own_names)
            except Exception:  # no record may stop what writes them
                _logger.exception("the reading at %s is left out: it cannot be written", origins[index])
            else:
                yield document


def _document(decoded: DecodedBatch, index: int, origin: str, own_names: Collection[str]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "time": iso(decoded.event_times_ms[index]),
        "device_id": decoded.devices[index],
        "origin": origin,
    }
    metrics = decoded.others.get(index, {})
    for name, column in decoded.columns.items():
        if (measured := column[index]) is None:
            continue
        if name in own_names:
            document[name] = measured
        else:
            metrics = metrics | {name: measured}
    if metrics:
        document["metrics"] = metrics
    if decoded.locations:
        document |= decoded.locations[index]._asdict()
    return document
