"""Readings of a shard that are still needed: they wait for the watermark, or are decided again after a restore."""

from collections.abc import Iterator
from dataclasses import dataclass

from fleetpulse.frames import Readings
from fleetpulse.rows import Rows, in_order


@dataclass(slots=True)
class _Arrived:
    """Readings that came together: their key in the log, their size there, their first and last event time."""

    key: int
    size_bytes: int
    readings: Readings
    first_ms: int
    last_ms: int


class Backlog:
    """Readings in the order in which they came."""

    def __init__(self) -> None:
        self._arrived: list[_Arrived] = []

    def add(self, key: int, size_bytes: int, readings: Readings) -> None:
        """Keep readings; there must be at least one."""
        times_ms = readings.event_times_ms
        self._arrived.append(_Arrived(key, size_bytes, readings, min(times_ms), max(times_ms)))

    def between(self, after_ms: int, until_ms: int) -> Rows | None:
        """The readings later than `after_ms` and not later than `until_ms`, in order; None where there is none."""
        parts = [
            (arrived.readings, after_ms + 1, until_ms + 1)
            for arrived in self._arrived
            if arrived.first_ms <= until_ms and arrived.last_ms > after_ms
        ]
        rows = in_order(parts) if parts else None
        return rows if rows is not None and rows.times_ms else None

    def first_after_ms(self, decided_until_ms: int) -> int | None:
        """When the first reading that waits happened, or an earlier instant that is not decided either."""
        waiting = [arrived.first_ms for arrived in self._arrived if arrived.last_ms > decided_until_ms]
        return max(min(waiting), decided_until_ms + 1) if waiting else None

    def last_ms(self) -> int | None:
        """The latest event time of all."""
        return max((arrived.last_ms for arrived in self._arrived), default=None)

    def size_until(self, epoch_ms: int) -> int:
        """Bytes in the log of readings none of which is later than `epoch_ms`."""
        return sum(arrived.size_bytes for arrived in self._arrived if arrived.last_ms <= epoch_ms)

    def drop_until(self, epoch_ms: int) -> Iterator[int]:
        """Let go of what holds nothing later than `epoch_ms`; yields the keys."""
        gone = [arrived.key for arrived in self._arrived if arrived.last_ms <= epoch_ms]
        if gone:
            self._arrived = [arrived for arrived in self._arrived if arrived.last_ms > epoch_ms]
        yield from gone
