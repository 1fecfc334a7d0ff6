"""The topics of docs/contracts.md: names, partitions and settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field

LARGEST_MESSAGE_BYTES = (16 << 20) + (1 << 20)  # 16 MiB of value, and room for key, headers and batch
_LARGE = {"max.message.bytes": str(LARGEST_MESSAGE_BYTES)}


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it should be made."""

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)


EVENTS = Topic("events", 3, _LARGE)
TELEMETRY = Topic("telemetry.raw", 3, _LARGE)
SENSOR_RAW = Topic("sensor.raw", 3, _LARGE)  # telemetry in Avro, where a fleet sends it; made on use
ALERTS = Topic("alerts", 1)
LATE = Topic("telemetry.late", 3, _LARGE)
DEAD_LETTERS = Topic("telemetry.dlq", 3, _LARGE)
ALERT_DEAD_LETTERS = Topic("alerts.dlq", 1, _LARGE)  # of Vector

AGGREGATES = Topic("telemetry.agg.1m", 3)
RULES = Topic("rules", 1, {"cleanup.policy": "compact"})  # one key a version, so that all of them stay

TOPICS = (EVENTS, TELEMETRY, ALERTS, LATE, DEAD_LETTERS, ALERT_DEAD_LETTERS, AGGREGATES, RULES)


def ticks(job: str) -> Topic:
    """The clock of a job: stamped by the broker when it is appended, and of no use after a while."""
    settings = {"message.timestamp.type": "LogAppendTime", "retention.ms": "86400000"}
    return Topic(f"fleetpulse.ticks.{job}", 1, settings)


def of_replays(dead_letters: str) -> tuple[Topic, Topic]:
    """What replaying the letters of a topic needs: the ledger of what was done, and a place for what is given up."""
    return Topic(f"{dead_letters}.ledger", 1, {"cleanup.policy": "compact"}), Topic(f"{dead_letters}.parked", 3, _LARGE)
