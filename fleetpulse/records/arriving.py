"""What a sample of records measures, which of its fields nothing reads, and why.

The decoder of the jobs decides; the fields of a record that it does not look at are dropped. The jobs themselves do not
count those: that would cost them an eighth of their speed.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fleetpulse.records.batch import decode_batch
from fleetpulse.records.dialects import (
    EVENT,
    SENSOR,
    TELEMETRY,
    TELEMETRY_METRICS,
    Dialect,
    dialect_of,
    is_number,
    location_of,
    metrics_of,
)
from fleetpulse.records.metrics import UNITS, nearest_metric
from fleetpulse.records.parsing import JsonObject, parse
from fleetpulse.records.reasons import Reason

_NO_MEASUREMENTS = frozenset({"event-id", "alert_level", "quality", "metadata", "location"})
"""Fields of the dialects that are no measurement and that nobody misses."""


class Dropped(NamedTuple):
    """A field that nothing reads: its name, of one in another object with that one's name before it, and why."""

    field: str
    why: str


@dataclass
class Arriving:
    """A sample of records: how many there are, and how many of them have what. Avro is counted apart, undecoded."""

    records: int = 0
    avro: int = 0
    devices: set[str] = field(default_factory=set)
    rejected: Counter[Reason] = field(default_factory=Counter)
    metrics: Counter[str] = field(default_factory=Counter)
    dropped: Counter[Dropped] = field(default_factory=Counter)

    @property
    def accepted(self) -> int:
        """How many records are not rejected."""
        return self.records - self.rejected.total()

    @property
    def metrics_that_may_come(self) -> set[str]:
        """The metrics that were found, and those that Avro can have."""
        return {*self.metrics, *(TELEMETRY_METRICS if self.avro else ())}

    def take(self, values: Sequence[bytes | None], kafka_times_ms: Sequence[int], max_future_skew_ms: int) -> None:
        """Add records to the sample; arguments as for `decode_batch`."""
        kept = [index for index, value in enumerate(values) if not (value or b"").startswith(b"\0")]
        self.avro += len(values) - len(kept)
        values, kafka_times_ms = [values[index] for index in kept], [kafka_times_ms[index] for index in kept]
        decoded = decode_batch(values, kafka_times_ms, max_future_skew_ms)
        self.records += len(values)
        self.devices.update(filter(None, decoded.devices))
        self.rejected.update(rejection.reason for rejection in decoded.rejections.values())
        for name, column in decoded.columns.items():
            self.metrics[name] += len(column) - column.count(None)
        for measured in decoded.others.values():
            self.metrics.update(measured.keys())
        for index, value in enumerate(values):
            if index not in decoded.rejections:
                self.dropped.update(dropped_fields(value or b""))


def dropped_fields(value: bytes) -> list[Dropped]:
    """The fields of an accepted record that nothing reads and that are not null; empty for Avro."""
    fields = None if value.startswith(b"\0") else parse(value)
    if not isinstance(fields, JsonObject):
        return []
    dialect, watched = dialect_of(fields), _Watched(fields)
    measured = metrics_of(dialect, watched)
    location_of(dialect, watched)
    read = {dialect.device_id, dialect.time}
    return list(dict.fromkeys(_dropped(dialect, watched, measured, read | _NO_MEASUREMENTS, "")))


class _Watched(dict[str, Any]):
    """An object that remembers the fields that are asked for, as those in it do."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        super().__init__({k: _Watched(v) if isinstance(v, Mapping) else v for k, v in fields.items()})
        self.read: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)


def _dropped(
    dialect: Dialect, fields: _Watched, measured: Mapping[str, float], known: set[str] | frozenset[str], place: str
) -> Iterator[Dropped]:
    for name, value in fields.items():
        if value is None or name in known:
            continue
        if isinstance(value, _Watched) and name in fields.read:
            yield from _dropped(dialect, value, measured, frozenset(), f"{place}{name}.")
        elif name not in fields.read:
            yield Dropped(f"{place}{name}", _why(dialect, name, value))
        elif name in UNITS and name not in measured:
            yield Dropped(f"{place}{name}", "it is no number")


_TELEMETRY = f"{', '.join(TELEMETRY_METRICS[:-1])} and {TELEMETRY_METRICS[-1]}"


def _why(dialect: Dialect, name: str, value: object) -> str:
    if dialect is EVENT:
        return "events measure nothing: name the device in `device_id`"
    if isinstance(value, Mapping):
        return "fields in an object are read in the `payload` of a record with an `event_type` only"
    metric = nearest_metric(name)
    if metric is not None and metric != name and (dialect is not TELEMETRY or metric in TELEMETRY_METRICS):
        return f"it is called `{metric}`, in {UNITS[metric]}"
    if name == "value":
        return "its type is missing: name that in `event_type`"
    if dialect is not TELEMETRY or not is_number(value):
        return f"nothing reads it in {_kind_of(dialect)}"
    kind = f'"{metric}"' if metric is not None else f'"custom", "name": "{name}"'
    return f'telemetry has {_TELEMETRY} alone: send it as "event_type": {kind}, "value": …'


def _kind_of(dialect: Dialect) -> str:
    # By identity: typed events have the id and the time of telemetry.
    return "telemetry" if dialect is TELEMETRY else "a sensor reading" if dialect is SENSOR else "a typed event"
