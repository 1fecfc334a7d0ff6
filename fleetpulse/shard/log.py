"""A shard in Flink's keyed state: a log of small entries, rewritten when it has grown too long.

Writing one entry of changed devices costs a fraction of writing an entry a device, and a restart reads a few large
values instead of many small ones. Keys count up; key 0 holds the header. All values are versioned MessagePack.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from fleetpulse.anomaly.watch import Snapshot
from fleetpulse.errors import ConfigurationError
from fleetpulse.frames.frame import Readings
from fleetpulse.inactivity.devices import Devices
from fleetpulse.inactivity.timeouts import OpenSilence
from fleetpulse.rules.versions import Version
from fleetpulse.rules.versions import decode as decode_version
from fleetpulse.shard.clock import TickClock
from fleetpulse.shard.entries import (
    Arrived,
    Changes,
    Clocks,
    Count,
    Entry,
    Header,
    Heard,
    LastHeard,
    Pending,
    ReadingEntry,
    RuleVersion,
)
from fleetpulse.windows.tumbling import Coarse

VERSION = 1
HEADER = 0
_DEVICES_AN_ENTRY = 10_000
_REWRITE_ABOVE_BYTES = 1 << 16
_NONE: Mapping[int, int] = {}


class Writes(NamedTuple):
    """What has to change in the keyed state: entries to put, then keys to remove."""

    puts: dict[int, bytes]
    removals: list[int]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Entry).decode


class ShardLog:
    """Appends to a shard's log and remembers what has to be written."""

    def __init__(
        self, shards: int, next_key: int = HEADER + 1, change_bytes: Mapping[int, int] = _NONE, live_share: float = 0
    ) -> None:
        """Go on with the log of a shard.

        Args:
            shards: how many there are in all.
            next_key: of the next entry.
            change_bytes: sizes of the changes that are in state already, by key.
            live_share: the share of them that is up to date, 0 to 1.
        """
        self._shards = shards
        self._next = next_key
        self._change_bytes = dict(change_bytes)
        self._bytes = sum(change_bytes.values())
        self._live_bytes = self._bytes * live_share
        self._puts: dict[int, bytes] = {}
        self._removals: set[int] = set()

    def append(self, entry: Entry) -> int:
        """Keep an entry; returns its key."""
        key, self._next = self._next, self._next + 1
        self._puts[key] = _encode(entry)
        return key

    def size(self, key: int) -> int:
        """Bytes of an entry that was appended since the last `take_writes`."""
        return len(self._puts[key])

    def append_changes(self, devices: Devices) -> None:
        """Keep devices as they became."""
        for entry in _in_entries(devices):
            key = self.append(entry)
            self._change_bytes[key] = len(self._puts[key])
            self._bytes += len(self._puts[key])

    def remove(self, key: int) -> None:
        """Drop an entry."""
        if self._puts.pop(key, None) is None:
            self._removals.add(key)
        self._bytes -= self._change_bytes.pop(key, 0)

    def needs_rewrite(self) -> bool:
        """Return whether more than half of the log is out of date."""
        return self._bytes > 2 * self._live_bytes + _REWRITE_ABOVE_BYTES

    def rewrite(self, devices: Devices) -> None:
        """Replace all changes by the devices as they are."""
        for key in list(self._change_bytes):
            self.remove(key)
        self.append_changes(devices)
        self._live_bytes = self._bytes

    def take_writes(self, decided_until_ms: int, ticks: TickClock, counts: dict[str, Count]) -> Writes:
        """What to write now, the header included."""
        header = Header(VERSION, self._shards, decided_until_ms, ticks, counts)
        writes = Writes({HEADER: _encode(header), **self._puts}, sorted(self._removals))
        self._puts, self._removals = {}, set()
        return writes


class NoLog(ShardLog):
    """Gives keys to entries, and keeps none of them."""

    def append(self, entry: Entry) -> int:  # noqa: ARG002
        """Give an entry its key."""
        self._next += 1
        return self._next

    def size(self, key: int) -> int:  # noqa: ARG002
        """No bytes."""
        return 0

    def remove(self, key: int) -> None:
        """There is nothing to drop."""

    def append_changes(self, devices: Devices) -> None:
        """Keep nothing."""


def _in_entries(devices: Devices) -> Iterable[Changes]:
    for start in range(0, len(devices.ids), _DEVICES_AN_ENTRY):
        part = slice(start, start + _DEVICES_AN_ENTRY)
        alerts = {i: devices.alerts[d] for i, d in enumerate(devices.ids[part]) if d in devices.alerts}
        yield Changes(devices.ids[part], devices.last_seen_ms[part], alerts)


@dataclass(slots=True)
class RestoredReadings:
    """What a log holds about readings and rules: entries by key, and the bytes of those that are let go by size."""

    arrived: dict[int, tuple[Readings, int]] = field(default_factory=dict)
    versions: dict[int, Version] = field(default_factory=dict)
    snapshot: tuple[int, Snapshot, int] | None = None
    coarse: tuple[int, Coarse] | None = None
    heard: tuple[int, LastHeard] | None = None

    def add(self, key: int, entry: ReadingEntry, size: int) -> None:
        """Take an entry of the log."""
        match entry:
            case Arrived():
                self.arrived[key] = entry.readings, size
            case RuleVersion():
                self.versions[key] = decode_version(entry.record)
            case Snapshot():
                self.snapshot = key, entry, size
            case Coarse():
                self.coarse = key, entry
            case LastHeard():
                self.heard = key, entry


@dataclass(slots=True)
class RestoredHeartbeats:
    """What a log holds about devices: as they were, what waited by key, and clocks that may be wrong."""

    devices: Devices
    pending: dict[int, Pending] = field(default_factory=dict)
    heard: dict[int, Heard] = field(default_factory=dict)
    clocks: tuple[int, Clocks] | None = None


class Restored(NamedTuple):
    """A shard restored from its log, and the log to continue."""

    header: Header | None
    heartbeats: RestoredHeartbeats
    log: ShardLog
    kept: RestoredReadings


def restore(entries: Mapping[int, bytes], shards: int) -> Restored:
    """Read a shard's log.

    Raises:
        ConfigurationError: it was written with another number of shards, or by an unknown version.
    """
    header: Header | None = None
    last_seen_ms: dict[str, int] = {}
    alerts: dict[str, OpenSilence] = {}
    life = RestoredHeartbeats(Devices([], [], {}))
    kept = RestoredReadings()
    change_bytes: dict[int, int] = {}
    rows = 0
    for key in sorted(entries):
        entry = _decode(entries[key])
        if isinstance(entry, Header):
            _check(entry, shards)
            header = entry
        elif isinstance(entry, Pending):
            life.pending[key] = entry
        elif isinstance(entry, Heard):
            life.heard[key] = entry
        elif isinstance(entry, Clocks):
            life.clocks = key, entry
        elif not isinstance(entry, Changes):
            kept.add(key, entry, len(entries[key]))
        else:
            change_bytes[key] = len(entries[key])
            rows += len(entry.devices)
            last_seen_ms.update(zip(entry.devices, entry.last_seen_ms, strict=True))
            for changed in alerts.keys() & entry.devices:
                del alerts[changed]
            alerts |= {entry.devices[index]: alert for index, alert in entry.alerts.items()}
    known = {device: seen_ms for device, seen_ms in last_seen_ms.items() if seen_ms}
    log = ShardLog(shards, max(entries, default=HEADER) + 1, change_bytes, len(known) / max(1, rows))
    life.devices = Devices(list(known), list(known.values()), alerts)
    return Restored(header, life, log, kept)


def _check(header: Header, shards: int) -> None:
    if header.version != VERSION:
        raise ConfigurationError(f"state version {header.version} cannot be read, expected {VERSION}")
    if header.shards != shards:
        raise ConfigurationError(
            f"--shards {shards}: the checkpoint was made with {header.shards} shards; restore it with --shards "
            f"{header.shards}"
        )
