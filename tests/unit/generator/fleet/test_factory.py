from generator.fleet.factory import KINDS


def test_each_type_of_sensor_has_its_published_values():
    published = {kind.name: (kind.unit, kind.base, kind.warning, kind.critical, kind.interval_ms) for kind in KINDS}

    assert published == {
        "temperature": ("°C", 25.0, 35.0, 40.0, 3_000),
        "vibration": ("mm/s", 2.0, 5.0, 7.0, 4_000),
        "energy": ("kW", 100.0, 150.0, 180.0, 10_000),
        "humidity": ("%", 45.0, 70.0, 80.0, 5_000),
        "pressure": ("hPa", 1013.0, 1040.0, 1060.0, 5_000),
    }
