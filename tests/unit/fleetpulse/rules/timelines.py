"""Small timelines: readings in, what their alerts become out."""

from fleetpulse.alerts import Revision
from fleetpulse.anomaly.watch import AnomalyWatch
from fleetpulse.frames.frame import Readings
from fleetpulse.frames.rows import in_order
from fleetpulse.records.dialects import NOWHERE, Location
from fleetpulse.rules.checks import check
from fleetpulse.rules.model import read
from fleetpulse.rules.versions import Version

T0 = 1_767_225_600_000
DAY_MS = 86_400_000


def version(*rules: dict, number: int = 1, effective_from_ms: int = 0) -> Version:
    return Version(number, effective_from_ms, check(read({"rules": list(rules)})))


def readings(*told: tuple) -> Readings:
    """Rows of (device, seconds after T0, metrics) and perhaps a site."""
    known = ("temperature_c", "humidity", "lat", "lon", "battery")
    columns = {name: [metrics.get(name) for _, _, metrics, *_ in told] for name in known}
    others = {
        row: {name: value for name, value in metrics.items() if name not in known}
        for row, (_, _, metrics, *_) in enumerate(told)
    }
    sites = [Location(rest[0]) if rest else NOWHERE for _, _, _, *rest in told]
    locations = list(dict.fromkeys(sites)) if any(sites) and set(sites) != {NOWHERE} else []
    return Readings(
        [device for device, *_ in told],
        [T0 + round(s * 1000) for _, s, *_ in told],
        {name: column for name, column in columns.items() if column.count(None) < len(column)},
        {row: metrics for row, metrics in others.items() if metrics},
        locations,
        [locations.index(site) for site in sites] if locations else [],
    )


def rows(*told: tuple):
    return in_order([(readings(*told), 0, 2**62)])


def watch(*rules: dict) -> AnomalyWatch:
    return AnomalyWatch((version(*rules),), 7 * DAY_MS)


def judged(rules: list[dict], told: list[tuple]) -> list[tuple]:
    """(seconds, device, state, severity, rule) of what these readings give."""
    until_ms = T0 + round(max(s for _, s, *_ in told) * 1000)
    return brief(watch(*rules).advance(rows(*told), until_ms))


def brief(revisions: list[Revision]) -> list[tuple]:
    return [((r.changed_at_ms - T0) / 1000, r.device_id, str(r.state), r.severity, r.rule_id) for r in revisions]


def temperatures(*told: tuple[float, float], device: str = "d1") -> list[tuple]:
    return [(device, s, {"temperature_c": value}) for s, value in told]


HOT = {"kind": "threshold", "id": "hot", "metric": "temperature_c", "above": {"warning": 40, "critical": 50}}
BOTH = {
    "kind": "condition",
    "id": "both",
    "severity": "critical",
    "when": {"all": [{"rule": "hot"}, {"not": {"metric": "humidity", "above": 30}}]},
}
