"""The inactivity decision for contenders that have no event-time timers: one partition's devices, in memory.

Nothing of it survives a crash, which favours them: Flink's jobs keep the same in checkpointed state.
"""

import sys
import time
from collections.abc import Iterator

import msgspec

TIMEOUT_MS = 60_000
PERIOD_MS = 30_000
BOUND_MS = 2_000
_REPORT_SECONDS = 0.25


class Telemetry(msgspec.Struct):
    """The fields of a record that the decision needs."""

    device_id: str
    ts: int


decode = msgspec.json.Decoder(Telemetry).decode


class Silence:
    """Who of a partition's devices was heard when, and who is silent at each evaluation."""

    def __init__(self) -> None:
        self._last_seen: dict[str, int] = {}
        self._silent: set[str] = set()
        self._evaluation = 0

    def accept(self, record: Telemetry) -> list[bytes]:
        """Take a record; return the alerts of the evaluation that it makes due, if any."""
        alerts = []
        if record.ts - BOUND_MS >= self._evaluation:
            if self._evaluation:
                alerts = list(self._evaluate())
            self._evaluation = ((record.ts - BOUND_MS) // PERIOD_MS + 1) * PERIOD_MS
        device = record.device_id
        if record.ts > self._last_seen.get(device, 0):
            self._last_seen[device] = record.ts
            self._silent.discard(device)
        return alerts

    def _evaluate(self) -> Iterator[bytes]:
        for device, last_seen in self._last_seen.items():
            if self._evaluation - last_seen > TIMEOUT_MS and device not in self._silent:
                self._silent.add(device)
                yield msgspec.json.encode({"device-id": device, "latest-event-time": last_seen})


class Progress:
    """Tells the benchmark on standard output how many records this process has read."""

    def __init__(self) -> None:
        self.records = 0
        self._due = 0.0

    def add(self, records: int) -> None:
        """Count records, and say so a few times a second."""
        self.records += records
        if time.monotonic() >= self._due:
            self.say()

    def say(self) -> None:
        """Say it now."""
        self._due = time.monotonic() + _REPORT_SECONDS
        sys.stdout.write(f"records {self.records}\n")
        sys.stdout.flush()
