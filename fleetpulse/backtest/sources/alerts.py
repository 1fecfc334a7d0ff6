"""The recorded revisions of one alert: on the alerts topic, or in the table."""

import json
from typing import Any

import psycopg
from psycopg.rows import dict_row

from fleetpulse.backtest.sources.records import without_detection
from fleetpulse.errors import ConfigurationError, FleetpulseError
from fleetpulse.kafka.reading import read_to_end
from fleetpulse.times import iso

Fields = dict[str, Any]
_COLUMNS = (
    "alert_id::text, revision, state, rule_id, kind, severity, device_id, site, metric, value, unit, "
    '"limit", opened_at, changed_at, summary, evidence'
)


def from_topic(bootstrap_servers: str, topic: str, alert_id: str) -> list[Fields]:
    """The revisions on a topic, in their order and without `detected_at`.

    Raises:
        FleetpulseError: no broker answers, or the topic is not there.
    """
    found: list[Fields] = []
    for message in read_to_end(bootstrap_servers, topic, "fleetpulse-explain"):
        value = message.value() or b""
        if alert_id.encode() in value:
            fields = json.loads(without_detection(value))
            if fields.get("alert_id") == alert_id:
                found.append(fields)
    return _in_order(found)


def from_database(dsn: str, alert_id: str) -> list[Fields]:
    """The revisions in the table `alerts`, in their order; the table does not have versions of rules.

    Raises:
        ConfigurationError: the database does not answer.
        FleetpulseError: it has no such table.
    """
    try:
        with psycopg.connect(dsn, row_factory=dict_row, autocommit=True) as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM alerts WHERE alert_id = %s", [alert_id]).fetchall()  # noqa: S608
    except psycopg.OperationalError as failed:
        raise ConfigurationError(f"--database.url: the database cannot be read: {failed}") from failed
    except psycopg.Error as failed:
        raise FleetpulseError(f"the database cannot be read: {failed}") from failed
    for row in rows:
        for name in ("opened_at", "changed_at"):
            row[name] = iso(round(row[name].timestamp() * 1000))
    return _in_order(rows)


def _in_order(found: list[Fields]) -> list[Fields]:
    """By revision; one that was written again counts once."""
    return [fields for _, fields in sorted({fields["revision"]: fields for fields in found}.items())]
