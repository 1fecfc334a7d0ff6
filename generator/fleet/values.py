"""What devices measure: pure functions of device, time and chance, with the faults that values have.

drift  all values of a device move away from the usual, each device at a speed and in a direction of its own
stuck  in each cycle of five timeouts a device may repeat its values; starts in the first two timeouts of the cycle and
       lasts one to three
spike  one reading is 1 to 2 times the way from the usual to the critical value away
"""

import math
from collections.abc import Callable

from fleetpulse.durations import DAY_MS
from generator.fleet.chance import draw, mix, unit
from generator.fleet.factory import Kind
from generator.fleet.plan import Reading
from generator.scenario import Scenario

EPISODE_MS = 30_000  # how long a sensor of a factory is near a threshold
_TRIP_SHARE = 0.1
_STUCK, _DRIFT, _EPISODE, _LOCATED, _TRIP, _HOME, _BATTERY = range(5, 12)
_HOUR_MS = 3_600_000

Moment = tuple[int, int, int, float]
"""What values are made of: device, time (epoch ms), 64 bits of chance, and the shift by faults, where 1 is the way from
the usual to the critical value."""


def moments(scenario: Scenario) -> Callable[[Reading], Moment]:
    """Return the function from a reading to the moment of its values."""
    if scenario.spike_rate or scenario.stuck_probability or scenario.drift_per_day:
        return lambda reading: _faulty(scenario, reading)
    return lambda reading: (reading.device, reading.time_ms, reading.noise, 0.0)


def _faulty(scenario: Scenario, reading: Reading) -> Moment:
    device = reading.device
    if (held := _stuck(scenario, device, reading.time_ms)) is not None:
        time_ms, noise = held
        return device, time_ms, noise, _drift(scenario, device, time_ms)
    return device, reading.time_ms, reading.noise, _drift(scenario, device, reading.time_ms) + _spike(scenario, reading)


def _stuck(scenario: Scenario, device: int, time_ms: int) -> tuple[int, int] | None:
    """The time and the chance whose values are repeated at `time_ms`."""
    if not scenario.stuck_probability:
        return None
    timeout, cycle = scenario.timeout_ms, 5 * scenario.timeout_ms
    key = draw(scenario.seed, _STUCK, device)
    origin = scenario.start_ms - key % cycle
    number = (time_ms - origin) // cycle
    bits = mix(key + number)
    from_ms = origin + number * cycle + int(2 * timeout * unit(mix(bits + 1)))
    until_ms = from_ms + timeout + int(2 * timeout * unit(mix(bits + 2)))
    struck = unit(bits) < scenario.stuck_probability
    return (from_ms, mix(bits)) if struck and from_ms <= time_ms < until_ms else None


def _drift(scenario: Scenario, device: int, time_ms: int) -> float:
    if not scenario.drift_per_day:
        return 0.0
    speed = 2 * unit(draw(scenario.seed, _DRIFT, device)) - 1
    return scenario.drift_per_day * speed * (time_ms - scenario.start_ms) / DAY_MS


def _spike(scenario: Scenario, reading: Reading) -> float:
    bits = mix(reading.noise + 1)
    if unit(bits) >= scenario.spike_rate:
        return 0.0
    return (1 + unit(mix(bits))) * (-1 if bits & 3 == 0 else 1)


def weather(device: int, time_ms: int, noise: int, shift: float) -> tuple[float, float]:
    """Temperature in °C and relative humidity in %, which falls as it gets warmer.

    A day's wave, coolest at 03:00 UTC, an offset of the device's own, and noise.
    """
    # Written out, since the telemetry dialect spends its time here.
    wave = math.sin(2 * math.pi * (time_ms % DAY_MS / DAY_MS - 0.375))
    offset = (device * 37 % 101) / 25 - 2
    spread = (noise & 0xFFFF) / 0xFFFF - 0.5
    temperature, humidity = 21 + 5 * wave + offset + spread, 45 - 10 * wave - offset + 3 * spread
    if not shift:
        return temperature, humidity
    return temperature + 15 * shift, min(max(humidity - 30 * shift, 0.0), 100.0)


def carbon_dioxide(device: int, time_ms: int, noise: int, shift: float) -> float:
    """Carbon dioxide in ppm: more by day, when people breathe."""
    return max(600 + 150 * _wave(time_ms) + device * 37 % 101 + 40 * _spread(noise) + 800 * shift, 0.0)


def battery(device: int, time_ms: int, _noise: int, shift: float) -> float:
    """Charge in %: 100 to 5 within 8 to 48 hours, then back within a twentieth of that."""
    bits = draw(_BATTERY, device)
    period_ms = 8 * _HOUR_MS + int(40 * _HOUR_MS * unit(bits))
    passed = (time_ms + mix(bits) % period_ms) % period_ms / period_ms
    charge = 100 - 100 * passed if passed < 0.95 else 5 + 1900 * (passed - 0.95)
    return min(max(charge - 60 * shift, 0.0), 100.0)


def located(scenario: Scenario, device: int) -> bool:
    """Return whether `device`, of the telemetry dialect, reports its position."""
    return unit(draw(scenario.seed, _LOCATED, device)) < scenario.located_share


def position(scenario: Scenario, moment: Moment) -> tuple[float, float]:
    """Latitude and longitude: some 30 m around a home; in one of ten cycles of ten timeouts 1 to 5 km away from it."""
    device, time_ms, noise, _ = moment
    home = draw(scenario.seed, _HOME, device)
    angle = 2 * math.pi * (time_ms % (_HOUR_MS // 2) / (_HOUR_MS // 2) + unit(home))
    away, direction = _trip(scenario, device, time_ms)
    lat = 48.0 + 0.3 * unit(mix(home + 1)) + 0.0003 * math.sin(angle) + away * math.sin(direction)
    lon = 11.4 + 0.4 * unit(mix(home + 2)) + 0.0004 * math.cos(angle) + away * math.cos(direction)
    return lat + 0.0001 * _spread(noise), lon + 0.0001 * _spread(noise >> 16)


def _trip(scenario: Scenario, device: int, time_ms: int) -> tuple[float, float]:
    """How far away (in degrees) and in which direction."""
    timeout, cycle = scenario.timeout_ms, 10 * scenario.timeout_ms
    key = draw(scenario.seed, _TRIP, device)
    number, passed_ms = divmod(time_ms - scenario.start_ms + key % cycle, cycle)
    bits = mix(key + number)
    begin_ms, length_ms = int(5 * timeout * unit(mix(bits + 1))), int((2 + 3 * unit(mix(bits + 2))) * timeout)
    if unit(bits) >= _TRIP_SHARE or not begin_ms <= passed_ms < begin_ms + length_ms:
        return 0.0, 0.0
    farthest = 0.01 + 0.04 * unit(mix(bits + 3))
    return farthest * math.sin(math.pi * (passed_ms - begin_ms) / length_ms), 2 * math.pi * unit(mix(bits + 4))


def factory_value(scenario: Scenario, kind: Kind, moment: Moment) -> float:
    """The value of a sensor of `kind`: mostly well below its thresholds, for half a minute now and then near one."""
    device, time_ms, noise, shift = moment
    reach, spread = kind.critical - kind.base, _spread(noise)
    key = draw(scenario.seed, _EPISODE, device)
    share = unit(mix(key + (time_ms + key % EPISODE_MS) // EPISODE_MS))
    if share < scenario.critical_share:
        value = kind.critical + reach * (0.05 + 0.2 * spread)
    elif share < scenario.critical_share + scenario.warning_share:
        value = kind.warning + reach * 0.1 * spread
    else:
        wave = -_wave(time_ms) if kind.metric == "humidity" else _wave(time_ms)
        value = kind.base + reach * (0.15 * wave + 0.1 * unit(key) - 0.05 + 0.1 * spread)
    return min(max(value + reach * shift, kind.lowest), kind.highest)


def _wave(time_ms: int) -> float:
    return math.sin(2 * math.pi * (time_ms % DAY_MS / DAY_MS - 0.375))


def _spread(noise: int) -> float:
    return (noise & 0xFFFF) / 0xFFFF - 0.5
