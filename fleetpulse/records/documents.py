"""Readings as JSON objects, with the names that the table and the index `sensor_readings` have."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from fleetpulse.records.batch import Decoded
from fleetpulse.times import iso


def documents(decoded: Decoded, origins: Sequence[str], own_names: Collection[str]) -> Iterator[dict[str, Any]]:
    """The readings of a decided batch, without its rejected records.

    Args:
        decoded: the batch.
        origins: where each of its records was read, `topic:partition:offset`.
        own_names: the metrics that stand beside the device; all others stand below `metrics`.
    """
    for place in range(len(decoded.devices)):
        if place not in decoded.rejections:
            yield _document(decoded, place, origins[place], own_names)


def _document(decoded: Decoded, place: int, origin: str, own_names: Collection[str]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "time": iso(decoded.event_times_ms[place]),
        "device_id": decoded.devices[place],
        "origin": origin,
    }
    metrics = decoded.others.get(place, {})
    for name, column in decoded.columns.items():
        if (measured := column[place]) is None:
            continue
        if name in own_names:
            document[name] = measured
        else:
            metrics = metrics | {name: measured}
    if metrics:
        document["metrics"] = metrics
    if decoded.locations:
        document |= decoded.locations[place]._asdict()
    return document
