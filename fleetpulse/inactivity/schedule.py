"""When to look at which device: buckets, one an evaluation instant.

An instant costs the devices that may have fallen silent by then, not all of them. The schedule is derived from the
devices and is not kept in state.
"""

import heapq
from collections import defaultdict

from fleetpulse.times import first_multiple_after


class Schedule:
    """Devices that may be silent, or may be forgotten, by the instant at which that can be so at the earliest.

    Args:
        period_ms: of evaluation instants.
        decided_until_ms: no instant up to here is scheduled: it is decided, and never decided again.
    """

    def __init__(self, period_ms: int, decided_until_ms: int) -> None:
        self._period_ms = period_ms
        self.decided_until_ms = decided_until_ms
        self._silent: defaultdict[int, list[str]] = defaultdict(list)
        self._forgotten: defaultdict[int, list[str]] = defaultdict(list)
        self._to_forget: set[str] = set()  # the devices in `_forgotten`
        self._instants: list[int] = []  # a heap
        self._scheduled: set[int] = set()  # what is in it

    @property
    def next_instant_ms(self) -> int | None:
        """The first instant at which a device has to be looked at; None where there is none."""
        return self._instants[0] if self._instants else None

    def pop(self, until_ms: int) -> int | None:
        """Take the first instant, which is decided now; None where it is later than `until_ms`."""
        if not self._instants or self._instants[0] > until_ms:
            return None
        instant_ms = heapq.heappop(self._instants)
        self._scheduled.remove(instant_ms)
        self.decided_until_ms = max(self.decided_until_ms, instant_ms)
        return instant_ms

    def add(self, instant_ms: int) -> int:
        """Add the first instant from `instant_ms` on that is not decided; returns it."""
        instant_ms = max(instant_ms, first_multiple_after(self.decided_until_ms, self._period_ms))
        if instant_ms not in self._scheduled:
            self._scheduled.add(instant_ms)
            heapq.heappush(self._instants, instant_ms)
        return instant_ms

    def await_silence(self, device_id: str, at_ms: int) -> int:
        """Look at a device at the instant at which it may be silent; returns the instant."""
        instant_ms = self.add(at_ms)
        self._silent[instant_ms].append(device_id)
        return instant_ms

    def await_forgetting(self, device_id: str, at_ms: int) -> None:
        """Look at a device when it may be forgotten. It has one entry, however often it falls silent."""
        if device_id not in self._to_forget:
            self._to_forget.add(device_id)
            self._forgotten[self.add(at_ms)].append(device_id)

    def take_silent(self, instant_ms: int) -> set[str]:
        """The devices that may be silent at an instant."""
        return set(self._silent.pop(instant_ms, ()))

    def take_forgotten(self, instant_ms: int) -> list[str]:
        """The devices that may be forgotten at an instant, in order."""
        devices = sorted(self._forgotten.pop(instant_ms, ()))
        self._to_forget.difference_update(devices)
        return devices

    def clear_silence(self) -> None:
        """Drop all entries of silence."""
        self._silent.clear()
