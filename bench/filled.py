"""A database filled with what a fleet leaves behind, made by the database itself: the same rows at every call."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

UNTIL = datetime(2026, 1, 1, tzinfo=UTC)
ALERTS_SPAN = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Contents:
    """How much there is.

    Attributes:
        devices: how many devices there are.
        readings: how many readings of temperature, humidity and battery they have sent in all.
        every: how often each sent one, up to UNTIL.
        revisions: about how many revisions of alerts there are, evenly over the 90 days before UNTIL.
    """

    devices: int = 1_000
    readings: int = 10_000_000
    every: timedelta = timedelta(seconds=10)
    revisions: int = 1_000_000

    @property
    def since(self) -> datetime:
        """When the first reading was made."""
        return UNTIL - self.readings // self.devices * self.every

    @property
    def alerts(self) -> int:
        """How many alerts have so many revisions: of 50, see _ALERTS, 1 has one, 44 have two and 5 three."""
        return self.revisions * 50 // 104


# Values differ by device and wander with time.
_READINGS = """
INSERT INTO sensor_readings (
    time, device_id, site, machine, zone, temperature_c, humidity, lat, lon, battery, metrics, origin, stored_at
)
SELECT
    at.time + device * INTERVAL '7 ms', 'd' || to_char(device, 'FM000000'), 'hall-' || device %% 10,
    'm' || device %% 50,
    'z' || device %% 5, 20 + device %% 7 + sin(step / 500.0), 40 + device %% 11 + cos(step / 700.0), 48.1, 11.6,
    100 - step %% 9000 / 100.0, NULL, 'telemetry.raw:' || device %% 3 || ':' || step * %(devices)s + device,
    at.time + device * INTERVAL '7 ms' + INTERVAL '1.5 s'
FROM generate_series(0, %(steps)s - 1) AS step
CROSS JOIN LATERAL (SELECT %(since)s + step * %(every)s) AS at (time)
CROSS JOIN generate_series(0, %(devices)s - 1) AS device
"""
_AGGREGATES = """
INSERT INTO aggregates (
    time, window_end, width, device_id, site, metric, unit, count, sum, min, max, avg, last, p95, stored_at
)
SELECT
    start, start + %(width)s, %(width)s, device_id, site, metric, unit, count(value), sum(value), min(value),
    max(value), avg(value), max(value), CASE WHEN %(width)s = INTERVAL '1 minute' THEN max(value) END,
    start + %(width)s + INTERVAL '3 s'
FROM sensor_readings
CROSS JOIN LATERAL (SELECT date_bin(%(width)s, time, TIMESTAMPTZ '2000-01-01 00:00:00+00')) AS windows (start)
CROSS JOIN LATERAL (
    VALUES ('temperature_c', '°C', temperature_c), ('humidity', '%%', humidity), ('battery', '%%', battery)
) AS measured (metric, unit, value)
GROUP BY start, device_id, site, metric, unit
ORDER BY start
"""
# Of 50 alerts one is still open, five have become critical before they were over, and the rest are over.
_ALERTS = """
INSERT INTO alerts (
    time, alert_id, revision, state, rule_id, kind, severity, device_id, site, metric, value, unit, "limit", opened_at,
    changed_at, detected_at, summary, evidence, stored_at
)
SELECT
    opened_at, md5(alert::text)::uuid, revision,
    CASE WHEN revision = 1 THEN 'open' WHEN revision < revisions THEN 'updated' ELSE 'recovered' END,
    (ARRAY['inactivity', 'too-hot', 'too-dry', 'stuck-temperature', 'battery-low'])[alert %% 5 + 1],
    (ARRAY['inactivity', 'threshold', 'threshold', 'stuck', 'threshold'])[alert %% 5 + 1],
    CASE WHEN revision > 1 AND revisions = 3 OR alert %% 5 = 0 THEN 'critical' ELSE 'warning' END,
    'd' || to_char(device, 'FM000000'), 'hall-' || device %% 10, CASE WHEN alert %% 5 > 0 THEN 'temperature_c' END,
    61.2, 's', 60, opened_at, changed_at, changed_at + INTERVAL '1 s', 'd' || device || ' has been silent for 61.2 s',
    '{"silent_ms": 61200, "latest_event_time_ms": 1767225628800}', changed_at + INTERVAL '2 s'
FROM generate_series(0, %(alerts)s - 1) AS alert
CROSS JOIN LATERAL (
    SELECT
        alert * 7919::bigint %% %(devices)s AS device, %(alerts_since)s + alert * %(between)s AS opened_at,
        CASE WHEN alert %% 50 = 7 THEN 1 WHEN alert %% 10 = 3 THEN 3 ELSE 2 END AS revisions
) AS told
CROSS JOIN LATERAL generate_series(1, revisions) AS revision
CROSS JOIN LATERAL (SELECT opened_at + (revision - 1) * (30 + alert %% 600) * INTERVAL '1 s' AS changed_at) AS changes
"""


def fill(database: psycopg.Connection[Any], contents: Contents) -> None:
    """Fill the tables, which are empty, and gather statistics on them."""
    values = {
        "devices": contents.devices,
        "steps": contents.readings // contents.devices,
        "since": contents.since,
        "every": contents.every,
        "alerts": contents.alerts,
        "alerts_since": UNTIL - ALERTS_SPAN,
        "between": ALERTS_SPAN / contents.alerts,
    }
    database.execute(_ALERTS, values)
    database.execute(_READINGS, values)
    for width in (timedelta(minutes=1), timedelta(hours=1)):
        database.execute(_AGGREGATES, values | {"width": width})
    database.execute("VACUUM ANALYZE alerts, alerts_unended, sensor_readings, aggregates")
