"""What every panel of *IoT Device Alerts* must show of given alerts, computed without SQL, and what it shows."""

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import psycopg

from fleetpulse.dashboards.render import View, render
from tests.dashboards import statements
from tests.e2e.support.jobs import Revision, is_of_clock

DASHBOARD = "device-alerts"
WIDTH_S = 60  # of a point in time
_SEVERITIES = ("critical", "warning", "info")
_STILL_OPEN = ("open", "updated")


class Fact(NamedTuple):
    """A revision that must be in the database."""

    alert_id: str
    revision: int
    state: str
    opened_at: datetime
    changed_at: datetime
    device_id: str
    kind: str = "inactivity"
    severity: str = "critical"
    site: str | None = None
    rule_id: str = "inactivity"


def fact(alert: Revision) -> Fact:
    """A revision of an alert on silence, or on a wrong clock."""
    if is_of_clock(alert):
        return Fact(*alert, kind="clock", severity="warning", rule_id="clock")
    return Fact(*alert)


def shown(database: psycopg.Connection[Any], view: View) -> dict[str, Any]:
    """By panel the rows that it gets, in the form of `expected`, as the role that Grafana has."""
    found: dict[str, Any] = {}
    with database.transaction(force_rollback=True):
        database.execute("SET LOCAL ROLE monitor_user")
        for statement in statements(DASHBOARD):
            if statement.kind != "variable":
                cursor = database.execute(render(statement.sql, view))
                names = [column.name for column in cursor.description or ()]
                found[statement.name] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    found["Alerts over time"] = {(int(r["time"]), r["metric"]): r["alerts"] for r in found["Alerts over time"]}
    found["Alerts by hour of day"] = {(r["time"], r["metric"]): r["alerts"] for r in found["Alerts by hour of day"]}
    found["Recent alerts"] = [{name: r[name] for name in _RECENT} for r in found["Recent alerts"]]
    [recovered] = found["Time to recover"]
    found["Time to recover"] = {name: value and round(value, 6) for name, value in recovered.items()}
    return found


_RECENT = ("time", "severity", "state", "device_id", "site", "kind", "changed_at", "rule_id")


def expected(facts: Iterable[Fact], view: View) -> dict[str, Any]:
    """By panel what it must show of these alerts."""
    wanted = [fact for fact in facts if _chosen(fact, view.variables)]
    everything = list({fact.alert_id: fact for fact in sorted(wanted, key=lambda fact: fact.revision)}.values())
    opened = [fact for fact in everything if view.since <= fact.opened_at <= view.until]
    devices = Counter(fact.device_id for fact in opened)
    by_hour = Counter(fact.opened_at.replace(minute=0, second=0, microsecond=0) for fact in opened)
    top = sorted(devices, key=lambda device: (-devices[device], device))[:10]
    kinds = Counter(fact.kind for fact in opened)
    severities = Counter(fact.severity for fact in opened)
    recent = sorted(opened, key=lambda fact: (-fact.opened_at.timestamp(), fact.device_id, fact.rule_id))
    return {
        "Open now": [{"open": sum(fact.state in _STILL_OPEN for fact in everything)}],
        "Total alerts": [{"alerts": len(opened)}],
        "Devices with alerts": [{"devices": len(devices)}],
        "Time to recover": _times_to_recover(opened),
        "By severity": [{"severity": name, "alerts": severities[name]} for name in _SEVERITIES if name in severities],
        "Alerts over time": dict(Counter((_point(fact.opened_at), fact.kind) for fact in opened)),
        "By kind": [{"kind": k, "alerts": n} for k, n in sorted(kinds.items(), key=lambda one: (-one[1], one[0]))],
        "Top 10 devices": [_device(device, opened) for device in top],
        "Alerts by hour of day": {
            (hour.replace(hour=0), f"{hour.hour:02d}"): by_hour[hour] for hour in _hours(view.since, view.until)
        },
        "Recent alerts": [_row(fact) for fact in recent[:100]],
    }


def _chosen(fact: Fact, variables: Mapping[str, Any]) -> bool:
    told = {"site": fact.site, "device": fact.device_id, "kind": fact.kind}
    return all(variables[name] is None or value in variables[name] for name, value in told.items())


def _point(moment: datetime) -> int:
    return math.floor(moment.timestamp() / WIDTH_S) * WIDTH_S


def _times_to_recover(alerts: Iterable[Fact]) -> dict[str, float | None]:
    took = [(a.changed_at - a.opened_at).total_seconds() for a in alerts if a.state == "recovered"]
    if len(took) < 2:
        return {"median": took[0], "p95": took[0]} if took else {"median": None, "p95": None}
    p95 = statistics.quantiles(took, n=100, method="inclusive")[94]
    return {"median": round(statistics.median(took), 6), "p95": round(p95, 6)}


def _device(device: str, alerts: Iterable[Fact]) -> dict[str, Any]:
    own = [alert for alert in alerts if alert.device_id == device]
    sites = [alert.site for alert in own if alert.site is not None]
    last = max(alert.opened_at for alert in own)
    return {"device_id": device, "site": max(sites, default=None), "alerts": len(own), "last_opened": last}


def _row(fact: Fact) -> dict[str, Any]:
    return {name: fact.opened_at if name == "time" else getattr(fact, name) for name in _RECENT}


def _hours(since: datetime, until: datetime) -> list[datetime]:
    first, last = (
        moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) for moment in (since, until)
    )
    return [first + timedelta(hours=number) for number in range(24 * ((last - first).days + 1))]
