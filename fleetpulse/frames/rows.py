"""Readings that are due, in the order of decision: by time, then by device, independent of arrival."""

import heapq
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from operator import eq, le
from typing import Any, NamedTuple, cast

from fleetpulse.frames.columns import picker
from fleetpulse.frames.frame import Readings
from fleetpulse.records.dialects import NOWHERE, Location

Values = Sequence[float | None]


class Samples(NamedTuple):
    """The values of one metric in parallel columns: rows they stand in, times, devices by number, values.

    The lowest and the highest value are looked up once, for all rules that hold them against a limit.
    """

    rows: Sequence[int]
    times_ms: Sequence[int]
    devices: Sequence[int]
    values: Sequence[float]
    lowest: float
    highest: float

    def each(self) -> Iterator[tuple[int, int, int, float]]:
        """Row, time, device and value, one after the other."""
        return zip(self.rows, self.times_ms, self.devices, self.values, strict=True)


class Rows(NamedTuple):
    """Readings in order. `columns` is by metric; `locations` is empty if no reading has one."""

    times_ms: Sequence[int]
    devices: Sequence[str]
    columns: dict[str, Values]
    others: dict[int, dict[str, float]]
    locations: Sequence[Location]


class Due:
    """Due readings with the numbers of their devices, row by row."""

    def __init__(self, rows: Rows, numbers: Sequence[int]) -> None:
        self.rows = rows
        self.numbers = numbers
        self._samples: dict[str, Samples | None] = {}
        self._rows_by_device: dict[int, list[int]] = {}

    def rows_of(self, device: int) -> list[int]:
        """The rows of a device, in order."""
        if not self._rows_by_device:
            rows: dict[int, list[int]] = defaultdict(list)
            for row, number in enumerate(self.numbers):
                rows[number].append(row)
            self._rows_by_device = dict(rows)
        return self._rows_by_device.get(device, [])

    @property
    def metrics(self) -> Iterator[str]:
        """The metrics that have values, of those with a unit of their own and those that were asked for."""
        yield from self.rows.columns
        yield from (metric for metric, samples in self._samples.items() if samples is not None)

    def samples(self, metric: str) -> Samples | None:
        """All values of a metric; None if there are none."""
        if metric not in self._samples:
            self._samples[metric] = self._of(metric)
        return self._samples[metric]

    def _of(self, metric: str) -> Samples | None:
        column, times_ms, numbers = self.rows.columns.get(metric), self.rows.times_ms, self.numbers
        if column is not None and None not in column:
            whole = cast(Sequence[float], column)
            return Samples(range(len(whole)), times_ms, numbers, whole, min(whole), max(whole))
        if column is not None:
            present = [value is not None for value in column]
            rows: Sequence[int] = list(compress(range(len(column)), present))
            values = cast(Sequence[float], list(compress(column, present)))
        else:
            found = [(row, metrics[metric]) for row, metrics in self.rows.others.items() if metric in metrics]
            rows, values = [row for row, _ in found], [value for _, value in found]
        if not rows:
            return None
        pick = picker(rows)
        return Samples(rows, pick(times_ms), pick(numbers), values, min(values), max(values))


class RowQueue:
    """The relevant rows of a batch, in order: those with events, and those of watched devices."""

    def __init__(self, due: Due, rows: Iterable[int], devices: Iterable[int]) -> None:
        self._due = due
        self._queue = list(rows)
        heapq.heapify(self._queue)
        for device in devices:
            self.watch(device, -1)

    def watch(self, device: int, after: int) -> None:
        """Include the next row of a device."""
        rows = self._due.rows_of(device)
        index = bisect_right(rows, after)
        if index < len(rows):
            heapq.heappush(self._queue, rows[index])

    def __iter__(self) -> Iterator[int]:
        last = -1
        while self._queue:
            row = heapq.heappop(self._queue)
            if row != last:
                last = row
                yield row


def in_order(parts: Sequence[tuple[Readings, int, int]]) -> Rows:
    """Take the due readings of each part, and sort them.

    Args:
        parts: readings, and the half-open span of event times (epoch ms) that is due of them.
    """
    columns = _concatenated([_due(*part) for part in parts])
    keys = list(zip(columns.times_ms, columns.devices, strict=True))
    if not all(map(le, keys, keys[1:])):
        order = sorted(range(len(keys)), key=keys.__getitem__)
        columns, keys = _picked(columns, order), [keys[row] for row in order]
    if any(map(eq, keys, keys[1:])):
        columns = _picked(columns, _ties_by_value(columns, keys))
    return columns


def part(rows: Rows, start: int, stop: int) -> Rows:
    """The rows from `start` up to, but without, `stop`."""
    if start == 0 and stop == len(rows.times_ms):
        return rows
    within = slice(start, stop)
    return Rows(
        rows.times_ms[within],
        rows.devices[within],
        {metric: column[within] for metric, column in rows.columns.items()},
        {row - start: metrics for row, metrics in rows.others.items() if start <= row < stop},
        rows.locations[within],
    )


def _due(readings: Readings, from_ms: int, until_ms: int) -> Rows:
    times_ms = readings.event_times_ms
    locations = [readings.locations[index] for index in readings.location_indices]
    rows = Rows(times_ms, readings.devices, dict(readings.columns), readings.others, locations)
    if min(times_ms) >= from_ms and max(times_ms) < until_ms:
        return rows
    return _picked(rows, [row for row, time_ms in enumerate(times_ms) if from_ms <= time_ms < until_ms])


def _picked(rows: Rows, order: list[int]) -> Rows:
    pick = picker(order)
    others = {}
    if rows.others:
        others = {at: rows.others[row] for at, row in enumerate(order) if row in rows.others}
    return Rows(
        pick(rows.times_ms),
        pick(rows.devices),
        {metric: pick(column) for metric, column in rows.columns.items()},
        others,
        pick(rows.locations) if rows.locations else [],
    )


def _concatenated(parts: list[Rows]) -> Rows:
    if len(parts) == 1:
        return parts[0]
    times_ms: list[int] = []
    devices: list[str] = []
    columns: dict[str, list[float | None]] = {}
    others: dict[int, dict[str, float]] = {}
    locations: list[Location] = []
    for part in parts:
        start = len(devices)
        for metric, column in part.columns.items():
            whole = columns.setdefault(metric, [])
            whole.extend([None] * (start - len(whole)))
            whole.extend(column)
        others |= {start + row: metrics for row, metrics in part.others.items()}
        if part.locations:
            locations.extend([NOWHERE] * (start - len(locations)))
            locations.extend(part.locations)
        times_ms.extend(part.times_ms)
        devices.extend(part.devices)
    for whole in columns.values():
        whole.extend([None] * (len(devices) - len(whole)))
    if locations:
        locations.extend([NOWHERE] * (len(devices) - len(locations)))
    return Rows(times_ms, devices, dict(columns), others, locations)


def _ties_by_value(rows: Rows, keys: list[tuple[int, str]]) -> list[int]:
    """An order by time, device and value, so that the order of arrival does not matter."""
    names = sorted(rows.columns)

    def rank(row: int) -> tuple[Any, ...]:
        values = tuple((v is not None, v or 0.0) for v in (rows.columns[name][row] for name in names))
        return keys[row], values, sorted(rows.others.get(row, {}).items()), _text(rows.locations, row)

    return sorted(range(len(keys)), key=rank)


def _text(locations: Sequence[Location], row: int) -> tuple[str, ...]:
    return tuple(part or "" for part in locations[row]) if locations else ()
