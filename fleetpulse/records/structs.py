"""Records as msgspec decodes them: typed, with all names that anything is read by, and nothing else."""

from decimal import Decimal
from typing import Any

import msgspec


class LocationFields(msgspec.Struct, gc=False, omit_defaults=True):
    factory_section: str | None = None
    machine_id: str | None = None
    zone: str | None = None


class MetricFields(msgspec.Struct, gc=False, omit_defaults=True):
    temperature_c: float | None = None
    humidity: float | None = None
    lat: float | None = None
    lon: float | None = None


class Record(MetricFields, gc=False):
    """Telemetry and events: the id that is set determines the dialect."""

    device_id: str | None = None
    event_device_id: str | None = msgspec.field(default=None, name="device-id")
    sensor_id: str | None = None
    ts: Any = None
    time: Any = None
    timestamp: Any = None


class Payload(MetricFields, gc=False, omit_defaults=True):
    """A value with its unit, under each name that `metrics_of` looks for."""

    value: float | None = None
    unit: str | None = None
    name: str | None = None
    temperature: float | None = None
    vibration: float | None = None
    energy: float | None = None
    pressure: float | None = None
    battery: float | None = None
    vibration_mm_s: float | None = None
    energy_kw: float | None = None
    pressure_hpa: float | None = None


class TypedRecord(Payload, gc=False, omit_defaults=True):
    """All dialects: records with a type have more names."""

    device_id: str | None = None
    event_device_id: str | None = msgspec.field(default=None, name="device-id")
    sensor_id: str | None = None
    ts: Any = None
    time: Any = None
    timestamp: Any = None
    event_type: str | None = None
    payload: Payload | None = None
    sensor_type: str | None = None
    location: LocationFields | None = None


# Decimal, since a float would round a time up. Metrics are floats by their type, which the hook leaves alone.
decode_lines = msgspec.json.Decoder(Record, float_hook=Decimal).decode_lines
decode_typed_lines = msgspec.json.Decoder(TypedRecord, float_hook=Decimal).decode_lines
