"""Tumbling windows: what a device's metrics did in each stretch of event time, half-open and aligned to the epoch.

Values are kept as they come and looked at once, when their window closes: adding one costs an append, sums are exact
(`math.fsum`) and so the same in every order, and the 95th percentile is one of the values. A window that is wider than
a minute is made of minutes, of which only count, sum, smallest, largest and last are kept: it has no percentile.
"""

import math
import sys
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from fleetpulse.frames.rows import Rows
from fleetpulse.records.metrics import UNITS
from fleetpulse.times import iso

_WIDEST_OF_VALUES_MS = 60_000
_LARGEST = sys.float_info.max


@dataclass(frozen=True, slots=True)
class WindowPolicy:
    """How wide windows are, in milliseconds of event time: up to a minute, or a whole number of minutes."""

    width_ms: int = 60_000

    @property
    def base_ms(self) -> int:
        """How wide the windows are whose values are kept."""
        return min(self.width_ms, _WIDEST_OF_VALUES_MS)


class Total(msgspec.Struct, array_like=True, frozen=True):
    """What is known of a metric of a device in a window. `p95` is None where single values are not kept."""

    count: int
    sum: float
    min: float
    max: float
    last: float
    p95: float | None = None

    def add(self, later: "Total") -> "Total":
        """Both together; `later` is of later times."""
        return Total(
            self.count + later.count,
            max(-_LARGEST, min(_LARGEST, self.sum + later.sum)),
            min(self.min, later.min),
            max(self.max, later.max),
            later.last,
        )


class Aggregate(NamedTuple):
    """A closed window of one metric of one device; its site is the last one that the device reported within it."""

    device_id: str
    site: str | None
    metric: str
    start_ms: int
    width_ms: int
    total: Total

    @property
    def end_ms(self) -> int:
        """The first instant after it."""
        return self.start_ms + self.width_ms


def to_json(aggregate: Aggregate) -> bytes:
    """The record on the topic of aggregates."""
    total = aggregate.total
    return msgspec.json.encode(
        {
            "window_start": iso(aggregate.start_ms),
            "window_end": iso(aggregate.end_ms),
            "device_id": aggregate.device_id,
            "site": aggregate.site,
            "metric": aggregate.metric,
            "unit": UNITS.get(aggregate.metric),
            "count": total.count,
            "sum": total.sum,
            "min": total.min,
            "max": total.max,
            "avg": total.sum / total.count,
            "last": total.last,
            "p95": total.p95,
        }
    )


Key = tuple[str, str]  # device and metric


class Coarse(msgspec.Struct, array_like=True, frozen=True, tag=7):
    """The minutes of a wider window so far, in columns."""

    start_ms: int
    devices: list[str]
    metrics: list[str]
    totals: list[Total]
    sites: dict[str, str]


class WindowWatch:
    """The open windows of one shard. Readings come in order, as `rows.in_order` makes it.

    Its state is what it was given: readings of windows that are open are kept elsewhere, and are given again after a
    restore. Of wider windows it is `coarse`.
    """

    def __init__(self, policy: WindowPolicy, decided_until_ms: int = 0, coarse: Coarse | None = None) -> None:
        self._policy = policy
        self.decided_until_ms = decided_until_ms
        self._values: dict[int, dict[str, dict[str, array[float]]]] = {}  # by start, metric, device
        self._sites_told: dict[int, dict[str, str]] = defaultdict(dict)  # by start, device
        self._coarse_sites: dict[str, str] = dict(coarse.sites) if coarse else {}
        self._coarse: dict[Key, Total] = {}
        self._coarse_start_ms = coarse.start_ms if coarse else None
        if coarse:
            self._coarse = dict(zip(zip(coarse.devices, coarse.metrics, strict=True), coarse.totals, strict=True))
        self.coarse_changed = False

    @property
    def next_instant_ms(self) -> int | None:
        """The last instant of the first open window; None where none is open."""
        ends = [min(self._values) + self._policy.base_ms] if self._values else []
        if self._coarse_start_ms is not None:
            ends.append(self._coarse_start_ms + self._policy.width_ms)
        return min(ends) - 1 if ends else None

    @property
    def keep_from_ms(self) -> int | None:
        """From which event time on readings must be kept, to be given again after a restore."""
        return min(self._values, default=None)

    def advance(self, rows: Rows | None, until_ms: int) -> list[Aggregate]:
        """Take readings, all later than what is decided, and close what ends up to `until_ms`."""
        if rows is not None and rows.times_ms:
            self.add(rows)
        closed: list[Aggregate] = []
        while (last_ms := self.next_instant_ms) is not None and last_ms <= until_ms:
            closed += self._close(last_ms + 1)
        self.decided_until_ms = max(self.decided_until_ms, until_ms)
        return closed

    def add(self, rows: Rows) -> None:
        """Take readings, those of windows that are closed left out."""
        base_ms, times_ms = self._policy.base_ms, rows.times_ms
        row = 0
        while row < len(times_ms):
            start_ms = times_ms[row] // base_ms * base_ms
            stop = _first_from(times_ms, start_ms + base_ms, row)
            if start_ms + base_ms - 1 > self.decided_until_ms:
                self._add(start_ms, rows, row, stop)
            row = stop

    def _add(self, start_ms: int, rows: Rows, row: int, stop: int) -> None:
        window = self._values.setdefault(start_ms, {})
        devices = rows.devices[row:stop]
        for device, location in zip(devices, rows.locations[row:stop], strict=False):
            if location.site is not None:
                self._sites_told[start_ms][device] = location.site
        for metric, column in rows.columns.items():
            by_device = window.get(metric)
            if by_device is None:
                by_device = window[metric] = defaultdict(_floats)
            for device, value in zip(devices, column[row:stop], strict=True):
                if value is not None:
                    by_device[device].append(value)
        for index, metrics in rows.others.items():
            if row <= index < stop:
                for metric, value in metrics.items():
                    window.setdefault(metric, defaultdict(_floats))[rows.devices[index]].append(value)

    def _close(self, end_ms: int) -> list[Aggregate]:
        base_ms, width_ms = self._policy.base_ms, self._policy.width_ms
        window = self._values.pop(end_ms - base_ms, {})
        sites = self._sites_told.pop(end_ms - base_ms, {})
        totals = {(d, m): _total(values) for m, by_device in window.items() for d, values in by_device.items()}
        if base_ms == width_ms:
            return self._aggregates(end_ms - width_ms, totals, sites)
        self._coarse_sites |= sites
        self._merge(end_ms - base_ms, totals)
        if end_ms % width_ms or self._coarse_start_ms is None:
            return []
        closed = self._aggregates(self._coarse_start_ms, self._coarse, self._coarse_sites)
        self._coarse, self._coarse_sites, self._coarse_start_ms, self.coarse_changed = {}, {}, None, True
        return closed

    def _merge(self, base_start_ms: int, totals: dict[Key, Total]) -> None:
        if totals and self._coarse_start_ms is None:
            self._coarse_start_ms = base_start_ms // self._policy.width_ms * self._policy.width_ms
        for key, total in totals.items():
            so_far = self._coarse.get(key)
            self._coarse[key] = msgspec.structs.replace(total, p95=None) if so_far is None else so_far.add(total)
        self.coarse_changed |= bool(totals)

    def _aggregates(self, start_ms: int, totals: dict[Key, Total], sites: dict[str, str]) -> list[Aggregate]:
        width_ms = self._policy.width_ms
        return [
            Aggregate(device, sites.get(device), metric, start_ms, width_ms, total)
            for (device, metric), total in sorted(totals.items())
        ]

    def coarse(self) -> Coarse | None:
        """The minutes of the open wider window, to be kept in state; None if there is no such window."""
        self.coarse_changed = False
        if self._coarse_start_ms is None:
            return None
        devices, metrics = [device for device, _ in self._coarse], [metric for _, metric in self._coarse]
        return Coarse(self._coarse_start_ms, devices, metrics, list(self._coarse.values()), self._coarse_sites)


def _floats() -> "array[float]":
    return array("d")


def _first_from(times_ms: Sequence[int], from_ms: int, row: int) -> int:
    return len(times_ms) if times_ms[-1] < from_ms else bisect_left(times_ms, from_ms, row)


def _total(values: "array[float]") -> Total:
    ordered = sorted(values)
    p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return Total(len(ordered), _sum(ordered), ordered[0], ordered[-1], values[-1], p95)


def _sum(values: list[float]) -> float:
    """The exact sum; where that is beyond all numbers, the last one before it: JSON has no infinity."""
    try:
        return math.fsum(values)
    except OverflowError:
        return _LARGEST if math.fsum(value / 2**64 for value in values) > 0 else -_LARGEST
