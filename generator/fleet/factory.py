"""Factory sensors: their types, values and locations."""

import math
from typing import NamedTuple


class Kind(NamedTuple):
    """One type of sensor, with the thresholds of its `alert_level`."""

    name: str
    metric: str  # the metric of its value
    unit: str
    base: float  # the usual value
    warning: float
    critical: float
    interval_ms: int  # between two readings
    lowest: float
    highest: float

    def level(self, value: float) -> str:
        """Return the `alert_level` of `value`."""
        if value > self.critical:
            return "critical"
        return "warning" if value > self.warning else "normal"


KINDS = (
    Kind("temperature", "temperature_c", "°C", 25.0, 35.0, 40.0, 3_000, -273.15, math.inf),
    Kind("vibration", "vibration_mm_s", "mm/s", 2.0, 5.0, 7.0, 4_000, 0.0, math.inf),
    Kind("energy", "energy_kw", "kW", 100.0, 150.0, 180.0, 10_000, 0.0, math.inf),
    Kind("humidity", "humidity", "%", 45.0, 70.0, 80.0, 5_000, 0.0, 100.0),
    Kind("pressure", "pressure_hpa", "hPa", 1013.0, 1040.0, 1060.0, 5_000, 0.0, math.inf),
)


class Sensor(NamedTuple):
    """One sensor of a factory."""

    sensor_id: str
    kind: Kind
    section: str
    machine: str
    zone: str
