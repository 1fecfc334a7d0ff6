"""A fleet with something wrong here and there: what rules and windows are measured on.

Every reading follows from its device and its number, so that two runs write the same topic. Values wander slowly, with
noise; a hundredth or so of the devices at a time is stuck, mute on one metric, hot and dry, away or silent.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from bench.topic import START_MS
from fleetpulse.records.avro import encode

SPAN_MS = 450_000
_GROUPS = 50  # devices whose number modulo this is the same have the same story
_STUCK, _MUTE, _AWAY, _HOT, _SILENT = (3, 7, 11, 13, 17)
_WHILE = {
    _STUCK: range(120_000, 260_000),
    _MUTE: range(90_000, 330_000),
    _AWAY: range(150_000, 300_000),
    _HOT: range(100_000, 300_000),
    _SILENT: range(60_000, 200_000),
}
_SPOKEN = 1 - len(_WHILE[_SILENT]) / SPAN_MS / _GROUPS
_SPIKE_EVERY = 2_003  # of a device's readings; prime, so that devices take turns


def _noise() -> list[float]:
    chance = random.Random(1)
    return [chance.gauss(0, 0.2) for _ in range(8_191)]


_NOISE = _noise()


class Reading(NamedTuple):
    """What a device says: its number, when (epoch ms), and its metrics, rounded as they are sent."""

    device: int
    ts_ms: int
    temperature_c: float
    humidity: float | None
    lat: float
    lon: float

    @property
    def device_id(self) -> str:
        """Its id."""
        return f"d{self.device:04d}"


@dataclass(frozen=True, slots=True)
class Story:
    """So many readings. Fewer of them mean longer pauses, not another story."""

    records: int
    devices: int = 10_000

    @property
    def topic(self) -> str:
        """Name of the topic that holds exactly this."""
        return f"bench.measurements.readings.{self.records}"

    def telemetry(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield (device number, time in epoch ms, value) in the order of time."""
        return ((reading.device, reading.ts_ms, to_json(reading)) for reading in self.readings())

    def readings(self) -> Iterator[Reading]:
        """All readings in the order of time."""
        slots = self.records / _SPOKEN
        slot = made = 0
        while made < self.records:
            device, offset_ms = slot % self.devices, int(slot * SPAN_MS / slots)
            number = slot // self.devices
            slot += 1
            if device % _GROUPS == _SILENT and offset_ms in _WHILE[_SILENT]:
                continue
            made += 1
            yield _reading(device, number, offset_ms)


@dataclass(frozen=True, slots=True)
class InAvro:
    """The same readings, written with the schema of this id."""

    story: Story
    schema_id: int

    @property
    def records(self) -> int:
        """How many there are."""
        return self.story.records

    @property
    def topic(self) -> str:
        """Name of the topic that holds exactly this."""
        return f"bench.avro.{self.schema_id}.{self.records}"

    def telemetry(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield (device number, time in epoch ms, value) in the order of time."""
        for reading in self.story.readings():
            yield reading.device, reading.ts_ms, to_avro(self.schema_id, reading)


def _reading(device: int, number: int, offset_ms: int) -> Reading:
    group = device % _GROUPS
    # From 0 to 1 and back while something is wrong; 0 where nothing is.
    span = _WHILE.get(group, range(0))
    wrong = math.sin(math.pi * (offset_ms - span.start) / len(span)) if offset_ms in span else 0.0
    wave = math.sin(2 * math.pi * (offset_ms / SPAN_MS + device / 97))
    noise = device * 31 + number * 17
    temperature_c = 15 + device % 97 / 10
    if group != _STUCK or not wrong:
        temperature_c += 2 * wave + _NOISE[noise % 8_191]
    humidity = 45 + device % 89 / 10 - 3 * wave + _NOISE[noise * 7 % 8_191] * 1.5
    if group == _HOT:
        temperature_c, humidity = temperature_c + 35 * wrong, humidity - 42 * wrong
    if (device * 7_919 + number) % _SPIKE_EVERY == 0:
        temperature_c += 30
    lat, lon = 48.1 + (device % 100 - 50) / 500, 11.6 + (device // 100 % 100 - 50) / 500
    if group == _AWAY:
        lat += 1.2 * wrong
    return Reading(
        device,
        START_MS + offset_ms,
        round(temperature_c, 2),
        None if group == _MUTE and wrong else round(humidity, 1),
        round(lat + _NOISE[noise * 3 % 8_191] / 10_000, 5),
        round(lon + _NOISE[noise * 5 % 8_191] / 10_000, 5),
    )


def to_json(reading: Reading) -> bytes:
    """The record in the telemetry dialect."""
    humidity = b"" if reading.humidity is None else b'"humidity":%.1f,' % reading.humidity
    return b'{"device_id":"d%04d","ts":%d,"temperature_c":%.2f,%b"lat":%.5f,"lon":%.5f}' % (
        reading.device,
        reading.ts_ms,
        reading.temperature_c,
        humidity,
        reading.lat,
        reading.lon,
    )


def to_avro(schema_id: int, reading: Reading) -> bytes:
    """The same record in Avro."""
    fields = reading._asdict()
    fields |= {"device_id": reading.device_id, "ts": reading.ts_ms}
    return encode(schema_id, fields)
