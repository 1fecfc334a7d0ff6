"""Readings of a shard that are still needed: they wait for the watermark, or are decided again after a restore."""

from collections.abc import Iterator
from typing import NamedTuple

from fleetpulse.frames.frame import Readings
from fleetpulse.frames.rows import Rows, in_order


class _Kept(NamedTuple):
    """Readings that came together and are decided: their key in the log, their size there, their last event time."""

    key: int
    size_bytes: int
    last_ms: int


class _Waiting(NamedTuple):
    """Readings that came together, of which some may not be decided yet. `first_ms` is their first event time."""

    kept: _Kept
    readings: Readings
    first_ms: int


class Backlog:
    """Readings in the order in which they came. Those that are decided are in the log alone, and not in memory."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._decided: list[_Kept] = []

    def add(self, key: int, size_bytes: int, readings: Readings) -> None:
        """Keep readings; there must be at least one."""
        times_ms = readings.event_times_ms
        self._waiting.append(_Waiting(_Kept(key, size_bytes, max(times_ms)), readings, min(times_ms)))

    def between(self, after_ms: int, until_ms: int) -> Rows | None:
        """The readings later than `after_ms` and not later than `until_ms`, in order; None if there are none."""
        parts = [
            (waiting.readings, after_ms + 1, until_ms + 1)
            for waiting in self._waiting
            if waiting.first_ms <= until_ms and waiting.kept.last_ms > after_ms
        ]
        rows = in_order(parts) if parts else None
        return rows if rows is not None and rows.times_ms else None

    def decided_until(self, epoch_ms: int) -> None:
        """Drop the readings that are not later than `epoch_ms` from memory, but not from the log."""
        decided = [waiting.kept for waiting in self._waiting if waiting.kept.last_ms <= epoch_ms]
        if decided:
            self._decided += decided
            self._waiting = [waiting for waiting in self._waiting if waiting.kept.last_ms > epoch_ms]

    def first_after_ms(self, decided_until_ms: int) -> int | None:
        """The time of the first waiting reading, or an earlier undecided instant."""
        first_ms = min((waiting.first_ms for waiting in self._waiting), default=None)
        return None if first_ms is None else max(first_ms, decided_until_ms + 1)

    def last_ms(self) -> int | None:
        """The latest event time of all that waits."""
        return max((waiting.kept.last_ms for waiting in self._waiting), default=None)

    def size_until(self, epoch_ms: int) -> int:
        """Bytes in the log of decided readings none of which is later than `epoch_ms`."""
        return sum(kept.size_bytes for kept in self._decided if kept.last_ms <= epoch_ms)

    def drop_until(self, epoch_ms: int) -> Iterator[int]:
        """Drop decided readings without any later than `epoch_ms`; yield their keys in the log."""
        gone = [kept.key for kept in self._decided if kept.last_ms <= epoch_ms]
        if gone:
            self._decided = [kept for kept in self._decided if kept.last_ms > epoch_ms]
        yield from gone
