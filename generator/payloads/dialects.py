"""The bytes of a record in each dialect, and the same numbers by the names that all dialects share."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import NamedTuple

from generator.fleet.factory import KINDS, Sensor
from generator.fleet.plan import Fault, Reading
from generator.fleet.silence import site_of
from generator.fleet.values import battery, carbon_dioxide, factory_value, located, moments, position, weather
from generator.payloads import avro
from generator.scenario import Dialect, Scenario

Write = Callable[[Reading, int], bytes]
"""(reading, the time in the record in epoch ms) -> value."""

Measure = Callable[[Reading], dict[str, float]]
"""reading -> metric name -> the number that stands in the value."""


class Shape(NamedTuple):
    """How one dialect writes a reading."""

    write: Write
    measure: Measure


def shape(dialect: Dialect, scenario: Scenario) -> Shape:
    """Return how `dialect` writes the readings of `scenario`."""
    return _SHAPES[dialect](scenario)


def meter(scenario: Scenario) -> Measure:
    """Return the function from a reading to its metrics, exactly as in its record; empty if malformed."""
    measures = [shape(dialect, scenario).measure for dialect in scenario.dialects]

    def measure(reading: Reading) -> dict[str, float]:
        return {} if reading.fault is Fault.MALFORMED else measures[reading.device % len(measures)](reading)

    return measure


def metrics_of(scenario: Scenario, reading: Reading) -> dict[str, float]:
    """Return the metrics of one reading. For many, keep a `meter`."""
    return meter(scenario)(reading)


def _event(_scenario: Scenario) -> Shape:
    def write(reading: Reading, time_ms: int) -> bytes:
        device_id = reading.device_id
        return f'{{"event-id":"{device_id}-{reading.tick}","device-id":"{device_id}","time":{time_ms}}}'.encode()

    return Shape(write, lambda _: {})


def _telemetry(scenario: Scenario) -> Shape:
    moment_of = moments(scenario)

    def write(reading: Reading, time_ms: int) -> bytes:
        moment = moment_of(reading)
        temperature, humidity = weather(*moment)
        where = ""
        if scenario.located_share and located(scenario, reading.device):
            lat, lon = position(scenario, moment)
            where = f',"lat":{lat:.5f},"lon":{lon:.5f}'
        return (
            f'{{"device_id":"{reading.device_id}","ts":"{_second(time_ms // 1000)}.{time_ms % 1000:03d}Z",'
            f'"temperature_c":{temperature:.2f},"humidity":{humidity:.2f}{where}}}'
        ).encode()

    def measure(reading: Reading) -> dict[str, float]:
        moment = moment_of(reading)
        temperature, humidity = weather(*moment)
        metrics = {"temperature_c": round(temperature, 2), "humidity": round(humidity, 2)}
        if located(scenario, reading.device):
            lat, lon = position(scenario, moment)
            metrics |= {"lat": round(lat, 5), "lon": round(lon, 5)}
        return metrics

    return Shape(write, measure)


def _avro(scenario: Scenario) -> Shape:
    telemetry = _telemetry(scenario)
    return Shape(avro.writer(telemetry.write, scenario.schema_id), telemetry.measure)


def _sensor(scenario: Scenario) -> Shape:
    moment_of = moments(scenario)
    sensor = cache(lambda device: sensor_of(scenario, device))

    @cache
    def who(device: int) -> str:
        one = sensor(device)
        location = {"factory_section": one.section, "machine_id": one.machine, "zone": one.zone}
        names = {"sensor_id": one.sensor_id, "sensor_type": one.kind.name, "location": location}
        return json.dumps(names, ensure_ascii=False, separators=(",", ":"))[1:-1]

    def value_of(reading: Reading) -> float:
        return round(factory_value(scenario, sensor(reading.device).kind, moment_of(reading)), 2)

    def write(reading: Reading, time_ms: int) -> bytes:
        kind, value = sensor(reading.device).kind, value_of(reading)
        micros = time_ms % 1000 * 1000 + (reading.noise >> 16) % 1000
        return (
            f'{{"timestamp":"{_second(time_ms // 1000)}.{micros:06d}Z",{who(reading.device)},'
            f'"value":{value},"unit":"{kind.unit}","alert_level":"{kind.level(value)}","quality":1.0,'
            f'"metadata":{{"reading_count":{reading.tick + 1},'
            f'"warning_threshold":{kind.warning},"critical_threshold":{kind.critical}}}}}'
        ).encode()

    return Shape(write, lambda reading: {sensor(reading.device).kind.metric: value_of(reading)})


def sensor_of(scenario: Scenario, device: int) -> Sensor:
    """Return the sensor that `device` is, where it speaks the sensor dialect: its section is its site."""
    if scenario.sensors:
        return scenario.sensors[device]
    # Shifted every five, so that all types are among the devices that are late at times: every fifth.
    kind = KINDS[(device + device // len(KINDS)) % len(KINDS)]
    site, row = site_of(scenario, device), device // 60
    return Sensor(
        f"device-{device:05d}", kind, f"section-{site:02d}", f"machine-{site:02d}-{row:03d}", "ABCD"[(site + row) % 4]
    )


_EVENT_TYPES = ("temperature", "humidity", "location", "battery", "custom")


def _typed(scenario: Scenario) -> Shape:
    moment_of = moments(scenario)

    def measure(reading: Reading) -> dict[str, float]:
        event_type, moment = _event_type(reading), moment_of(reading)
        if event_type == "temperature":
            return {"temperature_c": round(weather(*moment)[0], 2)}
        if event_type == "humidity":
            return {"humidity": round(weather(*moment)[1], 2)}
        if event_type == "battery":
            return {"battery": round(battery(*moment), 2)}
        if event_type == "custom":
            return {"co2_ppm": round(carbon_dioxide(*moment), 1)}
        lat, lon = position(scenario, moment)
        return {"lat": round(lat, 5), "lon": round(lon, 5)}

    def write(reading: Reading, time_ms: int) -> bytes:
        event_type = _event_type(reading)
        return (
            f'{{"device_id":"{reading.device_id}","event_type":"{event_type}",'
            f'"payload":{_payload(event_type, measure(reading))},'
            f'"ts":"{_second(time_ms // 1000)}.{time_ms % 1000:03d}Z"}}'
        ).encode()

    return Shape(write, measure)


def _event_type(reading: Reading) -> str:
    return _EVENT_TYPES[(reading.tick + reading.device) % len(_EVENT_TYPES)]


def _payload(event_type: str, metrics: dict[str, float]) -> str:
    if event_type == "location":
        return f'{{"lat":{metrics["lat"]},"lon":{metrics["lon"]}}}'
    [(name, value)] = metrics.items()
    if event_type == "custom":
        return f'{{"name":"{name}","value":{value},"unit":"ppm"}}'
    return f'{{"value":{value},"unit":"{"°C" if event_type == "temperature" else "%"}"}}'


@lru_cache(maxsize=64)
def _second(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


_SHAPES: dict[Dialect, Callable[[Scenario], Shape]] = {
    Dialect.EVENT: _event,
    Dialect.TELEMETRY: _telemetry,
    Dialect.SENSOR: _sensor,
    Dialect.TYPED: _typed,
    Dialect.AVRO: _avro,
}
