"""Batches of records, decoded fast, with the result of `records.reading.decode_record` for each.

A lot of records that are all plainly good is taken with one typed decode; everything else goes to `decode_record`.
"""

import logging
from collections.abc import Iterable, Sequence
from decimal import Decimal
from operator import attrgetter, sub
from typing import Any, NamedTuple, cast

import msgspec

from fleetpulse.errors import FleetpulseError
from fleetpulse.records.avro import SensorReadings
from fleetpulse.records.dialects import (
    EVENT,
    MAX_NAME_CHARS,
    NOWHERE,
    SENSOR,
    TELEMETRY,
    TELEMETRY_METRICS,
    Dialect,
    Location,
    dialect_of,
    location_of,
    metrics_of,
)
from fleetpulse.records.metrics import UNITS
from fleetpulse.records.parsing import ID_NAMES, MAX_DEPTH, is_too_deep
from fleetpulse.records.reading import MAX_VALUE_BYTES, Reading, Rejection, decode_avro, decode_record, time_of
from fleetpulse.records.reasons import Reason
from fleetpulse.records.structs import Record, TypedRecord, decode_lines, decode_typed_lines
from fleetpulse.times import LAST_MS, to_epoch_ms

_logger = logging.getLogger(__name__)
Column = list[float | None]


class DecodedBatch(NamedTuple):
    """A decoded batch in columns, in order. At an index in `rejections` the device is empty and the time 0.

    `columns` holds a value or None for each record, by metric, for the metrics that have a unit of their own; `others`
    what else was measured, by index; `locations` is empty if no record has one.
    """

    devices: list[str]
    event_times_ms: list[int]
    rejections: dict[int, Rejection]
    columns: dict[str, Column]
    others: dict[int, dict[str, float]]
    locations: list[Location]


# The names of the time, as they stand in JSON, in the order of `ID_NAMES`.
_TIME_NAMES = tuple(f'"{dialect.time}"'.encode() for dialect in (TELEMETRY, EVENT, SENSOR))
_LOT = 128  # records that are decoded at once: if one of them is not plainly good, each of them is looked at


def decode_batch(
    values: Sequence[bytes | None],
    kafka_times_ms: Sequence[int],
    max_future_skew_ms: int,
    measured: bool = True,
    avro: SensorReadings | None = None,
) -> DecodedBatch:
    """Decode each record of a batch, in order, with the result of `decode_record`, but fast.

    Args:
        values: the records' values; None for a tombstone.
        kafka_times_ms: their Kafka timestamps, as many.
        max_future_skew_ms: how far a record's time may be ahead of its Kafka timestamp.
        measured: whether to decode metrics and locations, and not only ids and times.
        avro: decodes values that begin with a zero; without it they are malformed.
    """
    batch = _Batch(measured)
    for start in range(0, len(values), _LOT):
        lot, times_ms = values[start : start + _LOT], kafka_times_ms[start : start + _LOT]
        if not batch.take_all(_plainly_good(lot, times_ms, max_future_skew_ms)):
            for value, kafka_time_ms in zip(lot, times_ms, strict=True):
                is_avro = avro is not None and value and value[0] == 0
                if is_avro or not batch.take_all(_plainly_good([value], [kafka_time_ms], max_future_skew_ms)):
                    batch.take(_decode_or_reject(value, kafka_time_ms, max_future_skew_ms, avro if is_avro else None))
    return batch.decoded()


def _decode_or_reject(
    value: bytes | None, kafka_time_ms: int, max_future_skew_ms: int, avro: SensorReadings | None
) -> Reading | Rejection:
    """Decode one record. No value may raise: an unexpected error rejects the record instead of stopping the job."""
    try:
        if avro is not None and value:
            return decode_avro(value, avro, kafka_time_ms, max_future_skew_ms)
        return decode_record(value, kafka_time_ms, max_future_skew_ms)
    except FleetpulseError:  # the schema registry is away: a fault of no record
        raise
    except Exception:
        _logger.exception("the decoder failed on a record, which is rejected as %s", Reason.INTERNAL_ERROR)
        return Rejection(Reason.INTERNAL_ERROR)


class _Good(NamedTuple):
    """Records that are plainly good, and their devices and event times."""

    records: Sequence[Record | TypedRecord]
    devices: list[str]
    event_times_ms: list[int]
    dialect: Dialect | None  # of all of them, if that is obvious


class _Batch:
    """A batch while it is decoded, lot by lot."""

    def __init__(self, measured: bool) -> None:
        self._measured = measured
        self._decoded = DecodedBatch([], [], {}, {}, {}, [])

    def take_all(self, good: "_Good | None") -> bool:
        """Take a lot. Return False, without any change, if it cannot be taken as a whole."""
        if good is None:
            return False
        if good.dialect is None:
            try:
                measured = [_measure(record) for record in good.records]
            except Exception:  # `decode_record` finds which
                return False
            for device, time_ms, (metrics, location) in zip(good.devices, good.event_times_ms, measured, strict=True):
                self.take(Reading(device, time_ms, metrics, location))
            return True
        if good.dialect is TELEMETRY and self._measured:
            for name in TELEMETRY_METRICS:
                values = list(map(attrgetter(name), good.records))
                if values.count(None) < len(values):
                    self._column(name).extend(values)
        self._decoded.devices.extend(good.devices)
        self._decoded.event_times_ms.extend(good.event_times_ms)
        return True

    def take(self, outcome: Reading | Rejection) -> None:
        """Take the next record."""
        devices, event_times_ms, rejections, _, others, _ = self._decoded
        if isinstance(outcome, Rejection):
            rejections[len(devices)] = outcome
            outcome = _NO_READING
        elif self._measured:
            for name, value in outcome.metrics.items():
                if name in UNITS:
                    self._column(name).append(value)
                else:
                    others.setdefault(len(devices), {})[name] = value
            if outcome.location != NOWHERE:
                self._fill_locations()
                self._decoded.locations.append(outcome.location)
        devices.append(outcome.device_id)
        event_times_ms.append(outcome.event_time_ms)

    def _column(self, name: str) -> Column:
        """The column of a metric, up to the present record."""
        column = self._decoded.columns.setdefault(name, [])
        column.extend([None] * (len(self._decoded.devices) - len(column)))
        return column

    def _fill_locations(self) -> None:
        locations = self._decoded.locations
        locations.extend([NOWHERE] * (len(self._decoded.devices) - len(locations)))

    def decoded(self) -> DecodedBatch:
        """The batch, after all lots."""
        for name in self._decoded.columns:
            self._column(name)
        if self._decoded.locations:
            self._fill_locations()
        return self._decoded


_NO_READING = Reading("", 0)


def _measure(record: Record | TypedRecord) -> tuple[dict[str, float], Location]:
    fields: dict[str, Any] = msgspec.to_builtins(record, builtin_types=(Decimal,))
    dialect = dialect_of(fields)
    return metrics_of(dialect, fields), location_of(dialect, fields)


def _plainly_good(
    values: Sequence[bytes | None], kafka_times_ms: Sequence[int], max_future_skew_ms: int
) -> _Good | None:
    """Records that are all plainly good; None if only `decode_record` can decide.

    They are decoded as lines of one text. A document cannot go on from one value into the next: every line must end
    with a brace and the next begin with one, and JSON has no place for such a pair inside a document. Each must name
    its device exactly once, and all their time once or none at all; counting is enough, since no record lacks them.
    """
    count, breaks = len(values), len(values) - 1
    try:
        size = sum(map(len, cast(Sequence[bytes], values)))
    except TypeError:  # a tombstone
        return None
    if size + breaks > MAX_VALUE_BYTES:  # before they are all copied
        return None
    text = b"\n".join(cast(Sequence[bytes], values))
    if breaks and (text.count(b"\n") != breaks or text.count(b"}\n{") != breaks):
        return None
    if not _is_plain(text):
        return None
    opened = text.count(b"{") + (text.count(b"[") if b"[" in text else 0)
    if opened >= count + MAX_DEPTH and any(map(is_too_deep, cast(Sequence[bytes], values))):
        return None
    named = list(map(text.count, ID_NAMES))
    times = [_TIME_NAMES[named.index(count)]] if count in named else _TIME_NAMES
    timed = sum(map(text.count, times))
    if sum(named) != count or timed not in (0, count):
        return None
    dialect = _plain_dialect(text, named, count)
    try:
        records: Sequence[Record | TypedRecord] = (decode_lines if dialect else decode_typed_lines)(text)
        devices = _devices(records, named)
        event_times_ms = _event_times_ms(records, named) if timed else list(kafka_times_ms)
    except Exception:  # `decode_record` finds which
        return None
    if len(records) != count or not all(devices) or max(map(len, devices)) > MAX_NAME_CHARS:
        return None
    if (
        max(map(sub, event_times_ms, kafka_times_ms)) > max_future_skew_ms
        or max(kafka_times_ms) > LAST_MS - max_future_skew_ms
    ):
        return None
    return _Good(records, devices, event_times_ms, dialect)


def _plain_dialect(text: bytes, named: list[int], count: int) -> Dialect | None:
    if named[0] == count and b'"event_type"' not in text:
        return TELEMETRY
    return EVENT if named[1] == count else None


def _devices(records: Sequence[Record | TypedRecord], named: list[int]) -> list[str]:
    if named[0] == len(records):
        return cast(list[str], [record.device_id for record in records])
    return cast(list[str], [r.device_id or r.event_device_id or r.sensor_id for r in records])


def _event_times_ms(records: Sequence[Record | TypedRecord], named: list[int]) -> list[int]:
    if named[0] == len(records):
        times: Iterable[Any] = [record.ts for record in records]
    else:
        times = [
            record.ts if record.device_id else record.time if record.event_device_id else record.timestamp
            for record in records
        ]
    return [
        time
        if type(time) is int and 10**11 <= time < 10**14
        else to_epoch_ms(time if type(time) is str else time_of(time))
        for time in times
    ]


def _is_plain(text: bytes) -> bool:
    """No escapes, nothing beyond ASCII, no DEL: then every name and id stands there as its own bytes.

    Control characters below space need no look: the typed decode refuses them inside strings.
    """
    return text.isascii() and b"\\" not in text and b"\x7f" not in text
