"""Readings as JSON objects, named as the columns of the table `sensor_readings` are."""

from collections.abc import Iterator, Sequence
from typing import Any

from fleetpulse.decoding import Decoded
from fleetpulse.times import iso

_OWN_NAMES = ("temperature_c", "humidity", "lat", "lon", "battery")


def documents(decoded: Decoded, origins: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The readings of a decided batch. Rejected records are left out: they are the business of the jobs that decide.

    Args:
        decoded: the batch.
        origins: where each of its records was read, `topic:partition:offset`.
    """
    for place in range(len(decoded.devices)):
        if place not in decoded.rejections:
            yield _document(decoded, place, origins[place])


def _document(decoded: Decoded, place: int, origin: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "time": iso(decoded.event_times_ms[place]),
        "device_id": decoded.devices[place],
        "origin": origin,
    }
    metrics = decoded.others.get(place, {})
    for name, column in decoded.columns.items():
        if (measured := column[place]) is None:
            continue
        if name in _OWN_NAMES:
            document[name] = measured
        else:
            metrics = metrics | {name: measured}
    if metrics:
        document["metrics"] = metrics
    if decoded.locations:
        document |= decoded.locations[place]._asdict()
    return document
