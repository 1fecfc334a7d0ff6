"""From a reading to the bytes, key and Kafka timestamp of its record."""

from collections.abc import Callable
from typing import NamedTuple

from fleetpulse.durations import DAY_MS
from generator.fleet.chance import mix
from generator.fleet.plan import Fault, Reading
from generator.payloads.dialects import Write, shape
from generator.payloads.malformed import choose, value_of
from generator.scenario import Scenario


class Record(NamedTuple):
    """One Kafka record, with its send time (epoch ms)."""

    send_ms: int
    key: bytes
    value: bytes | None
    timestamp_ms: int


def encoder(scenario: Scenario) -> Callable[[int, Reading], Record]:
    """Return the function that makes a record of (send time, reading).

    The Kafka timestamp is min(reading's time, the true time): a device whose clock is ahead is stamped with the true
    time, one whose clock is behind with its own.
    """
    write = _writer(scenario)

    def encode(send_ms: int, reading: Reading) -> Record:
        time_ms, fault, key = reading.time_ms, reading.fault, reading.device_id.encode()
        if fault is Fault.MALFORMED:
            dialect = scenario.dialect_of(reading.device)
            kind = choose(dialect, mix(reading.noise))
            return Record(
                send_ms, key, value_of(kind, dialect, reading.device_id, time_ms, scenario.schema_id), time_ms
            )
        if fault is Fault.CLOCK_AHEAD:
            return Record(send_ms, key, write(reading, time_ms + DAY_MS), time_ms)
        if fault is Fault.CLOCK_BEHIND:
            return Record(send_ms, key, write(reading, time_ms - DAY_MS), time_ms - DAY_MS)
        return Record(send_ms, key, write(reading, time_ms), time_ms)

    return encode


def _writer(scenario: Scenario) -> Write:
    writers = [shape(dialect, scenario).write for dialect in scenario.dialects]
    if len(writers) == 1:
        return writers[0]
    return lambda reading, time_ms: writers[reading.device % len(writers)](reading, time_ms)
