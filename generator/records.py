"""From a reading to the bytes, key and Kafka timestamp of its record."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from generator import avro
from generator.chance import mix
from generator.malformed import choose, value_of
from generator.plan import Fault, Reading
from generator.scenario import Dialect

DAY_MS = 86_400_000


class Record(NamedTuple):
    """One record as Kafka gets it, and when it is to be sent (epoch ms)."""

    send_ms: int
    key: bytes
    value: bytes | None
    timestamp_ms: int


def encoder(dialect: Dialect, schema_id: int = 1) -> Callable[[int, Reading], Record]:
    """Return the function that makes a record of (send time, reading).

    The Kafka timestamp is min(reading's time, the true time): a device whose clock is ahead is stamped with the true
    time, one whose clock is behind with its own.
    """
    write: Callable[[Reading, int], bytes] = _event if dialect is Dialect.EVENT else _telemetry
    if dialect is Dialect.AVRO:
        write = avro.writer(_telemetry, schema_id)

    def encode(send_ms: int, reading: Reading) -> Record:
        time_ms, fault, key = reading.time_ms, reading.fault, reading.device_id.encode()
        if fault is Fault.MALFORMED:
            kind = choose(dialect, mix(reading.noise))
            return Record(send_ms, key, value_of(kind, dialect, reading.device_id, time_ms, schema_id), time_ms)
        if fault is Fault.CLOCK_AHEAD:
            return Record(send_ms, key, write(reading, time_ms + DAY_MS), time_ms)
        if fault is Fault.CLOCK_BEHIND:
            return Record(send_ms, key, write(reading, time_ms - DAY_MS), time_ms - DAY_MS)
        return Record(send_ms, key, write(reading, time_ms), time_ms)

    return encode


def _event(reading: Reading, time_ms: int) -> bytes:
    device_id = reading.device_id
    return f'{{"event-id":"{device_id}-{reading.tick}","device-id":"{device_id}","time":{time_ms}}}'.encode()


def _telemetry(reading: Reading, time_ms: int) -> bytes:
    temperature, humidity = _weather(reading)
    return (
        f'{{"device_id":"{reading.device_id}","ts":"{_second(time_ms // 1000)}.{time_ms % 1000:03d}Z",'
        f'"temperature_c":{temperature:.2f},"humidity":{humidity:.2f}}}'
    ).encode()


def _weather(reading: Reading) -> tuple[float, float]:
    """A day's wave, coolest at 03:00 UTC, an offset of the device's own, and noise. In °C and % relative humidity."""
    wave = math.sin(2 * math.pi * (reading.time_ms % DAY_MS / DAY_MS - 0.375))
    offset = (reading.device * 37 % 101) / 25 - 2
    noise = (reading.noise & 0xFFFF) / 0xFFFF - 0.5
    return 21 + 5 * wave + offset + noise, 45 - 10 * wave - offset + 3 * noise


@lru_cache(maxsize=64)
def _second(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")
