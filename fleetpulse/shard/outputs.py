"""The outputs of a job as Kafka records: alerts, plain alerts, aggregates, late and rejected records."""

from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from fleetpulse.alerts import Revision, to_json
from fleetpulse.frames.frame import Original, Rejected
from fleetpulse.inactivity.devices import SilentDevice
from fleetpulse.records.reasons import SENTENCES
from fleetpulse.shard.shard import Late, Output
from fleetpulse.times import LAST_MS, iso
from fleetpulse.windows.tumbling import Aggregate
from fleetpulse.windows.tumbling import to_json as aggregate_to_json


class Record(NamedTuple):
    """A Kafka record. Header values are never None: Kafka's sink would drop them."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class OutputTopics:
    """The topic of each kind of output; None for one that a job does not make.

    `sources` are the topics behind the origins of records, in the job's order.
    """

    sources: tuple[str, ...]
    late: str
    dead_letters: str
    alerts: str | None = None
    plain: str | None = None
    aggregates: str | None = None

    @property
    def topics(self) -> list[str]:
        """All topics written to."""
        topics = (self.alerts, self.plain, self.late, self.dead_letters, self.aggregates)
        return [topic for topic in topics if topic is not None]

    def record(self, output: Output, now_ms: int) -> Record:
        """The record that carries `output`; `now_ms` is processing time."""
        match output:
            case Revision():
                assert self.alerts is not None
                return Record(self.alerts, output.device_id.encode(), to_json(output, now_ms), {}, now_ms)
            case SilentDevice():
                assert self.plain is not None
                return Record(self.plain, output.device_id.encode(), _plain(output), {}, now_ms)
            case Aggregate():
                assert self.aggregates is not None
                return Record(self.aggregates, output.device_id.encode(), aggregate_to_json(output), {}, output.end_ms)
            case Late():
                return _forward(self.late, output.original, self._late_headers(output))
            case Rejected():
                return _forward(self.dead_letters, output.original, self._dead_letter_headers(output, now_ms))

    def _late_headers(self, late: Late) -> dict[str, str]:
        topic, partition = self._place(late.original)
        return {
            "fleetpulse.late_by_ms": str(late.late_by_ms),
            "fleetpulse.origin": f"{topic}:{partition}:{late.original.offset}",
        }

    def _dead_letter_headers(self, rejected: Rejected, now_ms: int) -> dict[str, str]:
        topic, partition = self._place(rejected.original)
        return {
            "__connect.errors.topic": topic,
            "__connect.errors.partition": str(partition),
            "__connect.errors.offset": str(rejected.original.offset),
            "__connect.errors.stage": "VALUE_CONVERTER",
            "__connect.errors.exception.class.name": rejected.reason,
            "__connect.errors.exception.message": SENTENCES[rejected.reason],
            "fleetpulse.reason": rejected.reason,
            "fleetpulse.failed_at": iso(now_ms),
        }

    def _place(self, original: Original) -> tuple[str, int]:
        return self.sources[original.origin >> 16], original.origin & 0xFFFF


def _plain(silent: SilentDevice) -> bytes:
    return msgspec.json.encode({"device-id": silent.device_id, "latest-event-time": silent.latest_event_time_ms})


def _forward(topic: str, original: Original, headers: dict[str, str]) -> Record:
    encoded = {name: text.encode() for name, text in headers.items()}
    # Kafka takes no time before 1970, and SQL none after the year 9999; broken clients send both.
    return Record(topic, original.key, original.value, encoded, min(max(0, original.kafka_time_ms), LAST_MS))
