"""Alerts: their identity, their revisions, and how they are written."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from fleetpulse.times import iso

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "fleetpulse.alerts")


class AlertState(StrEnum):
    """Where an alert stands. `open` and `updated` are live, the rest are ends."""

    OPEN = "open"
    UPDATED = "updated"
    RECOVERED = "recovered"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of an alert, as decided: no processing time in it, so that a replay decides the same.

    `extra` holds fields that consumers of an older contract read at the top level.
    """

    rule_id: str
    kind: str
    severity: str
    device_id: str
    revision: int
    state: AlertState
    opened_at_ms: int
    changed_at_ms: int
    value: float | None
    unit: str | None
    limit: float | None
    summary: str
    evidence: Mapping[str, object]
    extra: Mapping[str, object]
    site: str | None = None
    metric: str | None = None

    @property
    def alert_id(self) -> uuid.UUID:
        """The same for every replay and retry of the same alert."""
        return alert_id(self.rule_id, self.device_id, self.opened_at_ms)


def alert_id(rule_id: str, device_id: str, opened_at_ms: int) -> uuid.UUID:
    """UUIDv5 of what makes an alert one alert: its rule, its device and when it was opened."""
    return uuid.uuid5(NAMESPACE, f"{rule_id}\n{device_id}\n{opened_at_ms}")


def to_json(revision: Revision, detected_at_ms: int) -> bytes:
    """The record on the alerts topic."""
    return msgspec.json.encode(
        {
            "alert_id": str(revision.alert_id),
            "revision": revision.revision,
            "state": revision.state,
            "rule_id": revision.rule_id,
            "kind": revision.kind,
            "severity": revision.severity,
            "device_id": revision.device_id,
            "site": revision.site,
            "metric": revision.metric,
            "value": revision.value,
            "unit": revision.unit,
            "limit": revision.limit,
            "opened_at": iso(revision.opened_at_ms),
            "changed_at": iso(revision.changed_at_ms),
            "detected_at": iso(detected_at_ms),
            "summary": revision.summary,
            "evidence": revision.evidence,
            **revision.extra,
        }
    )
