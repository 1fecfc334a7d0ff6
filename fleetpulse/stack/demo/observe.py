"""What the demo shows: figures from Flink's Prometheus reporter and alerts from the database."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import psycopg
import requests

from fleetpulse.errors import FleetpulseError
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.programs.postgres import dsn

_GAUGE = re.compile(r"^flink_\w*_fleetpulse_(?P<name>[a-z_]+)\{(?P<labels>.*)\} (?P<value>\S+)$", re.MULTILINE)
_TIMEOUT_S = 5


@dataclass(frozen=True)
class Figures:
    """The job's gauges at one moment, over all subtasks; `taken_s` is of the monotonic clock."""

    taken_s: float
    read: int = 0
    late: int = 0
    rejected: int = 0
    known: int = 0
    silent: int = 0
    anomalies: int = 0
    watermark_lag_ms: int = 0

    def per_second(self, before: "Figures") -> float:
        """Records read a second since `before`."""
        passed_s = self.taken_s - before.taken_s
        return max(0, self.read - before.read) / passed_s if passed_s > 0 else 0.0


@dataclass(frozen=True)
class Alert:
    """A revision of an alert as it is in the database."""

    stored_at: datetime
    state: str
    summary: str


@dataclass(frozen=True)
class Alerts:
    """What the database holds of this demo. `newest` comes newest first; `first_at` is when the first was stored."""

    total: int
    open: int
    first_at: datetime | None
    newest: list[Alert]


def figures(stack: Layout, job: str) -> Figures:
    """The present figures of a job; zeros while its TaskManager is away."""
    try:
        text = requests.get(f"http://{stack.address('taskmanager-metrics')}/metrics", timeout=_TIMEOUT_S).text
    except requests.RequestException:
        text = ""
    return parse(text, job, time.monotonic())


def parse(text: str, job: str, taken_s: float) -> Figures:
    """The figures of a job in the reporter's text: sums over its subtasks, and the worst watermark."""
    gauges: dict[str, list[int]] = {}
    for name, value in _gauges_of(text, job):
        gauges.setdefault(name, []).append(value)
    total = {name: sum(values) for name, values in gauges.items()}
    return Figures(
        taken_s,
        read=total.get("records_read", 0),
        late=total.get("records_late", 0),
        rejected=total.get("records_rejected", 0),
        known=total.get("devices_known", 0),
        silent=total.get("devices_silent", 0),
        anomalies=total.get("anomalies_open", 0),
        watermark_lag_ms=max(gauges.get("watermark_lag_ms", [0])),
    )


def _gauges_of(text: str, job: str) -> Iterator[tuple[str, int]]:
    for found in _GAUGE.finditer(text):
        if f'job_id="{job}"' in found["labels"]:
            yield found["name"].rpartition("reason_")[2], int(float(found["value"]))


def alerts(stack: Layout, since: datetime, limit: int) -> Alerts:
    """The alerts that were stored after `since`, read as a role that may only read.

    Raises:
        FleetpulseError: the database does not answer.
    """
    try:
        return _alerts(stack, since, limit)
    except psycopg.OperationalError as away:
        raise FleetpulseError(f"the database does not answer: {away}") from away


def _alerts(stack: Layout, since: datetime, limit: int) -> Alerts:
    with psycopg.connect(dsn(stack, "monitor_user"), connect_timeout=_TIMEOUT_S) as database:
        counts = database.execute(
            "SELECT count(*), count(*) FILTER (WHERE state IN ('open', 'updated')), "
            "(SELECT min(stored_at) FROM alerts WHERE stored_at >= %(since)s) FROM alerts_current "
            "WHERE alert_id IN (SELECT alert_id FROM alerts WHERE stored_at >= %(since)s)",
            {"since": since},
        ).fetchone()
        newest = database.execute(
            "SELECT stored_at, state, summary FROM alerts WHERE stored_at >= %s "
            "ORDER BY stored_at DESC, changed_at DESC, device_id LIMIT %s",
            [since, limit],
        ).fetchall()
    total, still_open, first_at = counts or (0, 0, None)
    return Alerts(total, still_open, first_at, [Alert(*row) for row in newest])
