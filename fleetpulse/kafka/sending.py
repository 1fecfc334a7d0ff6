"""Sends records of one's own, a line each, and says what the jobs' decoder makes of every one."""

import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka.reading import partitions_of
from fleetpulse.numbers import number, seconds
from fleetpulse.records.arriving import dropped_fields
from fleetpulse.records.metrics import UNITS
from fleetpulse.records.reading import Reading, Rejection, decode_record
from fleetpulse.records.reasons import SENTENCES
from fleetpulse.times import DEFAULT_FUTURE_SKEW_MS, iso

_ANSWER_S = 30.0
_LATE_MS = 60_000  # more than a job waits for records, as far as it is known here


class Judged(NamedTuple):
    """What the jobs make of a record: the key that it is sent with, whether they take it, and that in lines."""

    key: str | None
    accepted: bool
    lines: list[str]


def judged(value: bytes, now_ms: int) -> Judged:
    """Decode a record as the jobs do that read it now."""
    outcome = decode_record(value, now_ms, DEFAULT_FUTURE_SKEW_MS)
    if isinstance(outcome, Rejection):
        return Judged(outcome.device_id, False, [f"rejected as {outcome.reason}: {SENTENCES[outcome.reason]}"])
    return Judged(outcome.device_id, True, [*_accepted(outcome, now_ms), *_dropped(value)])


def _accepted(reading: Reading, now_ms: int) -> Iterator[str]:
    metrics = ", ".join(f"{name} {number(value, UNITS.get(name))}" for name, value in reading.metrics.items())
    yield f"accepted: {reading.device_id}, {metrics or 'no metric, a sign of life only'}"
    if (behind_ms := now_ms - reading.event_time_ms) > _LATE_MS:
        when = f"{iso(reading.event_time_ms)}, {seconds(behind_ms / 1000)} ago"
        yield f"late: its time is {when}; a job that has decided that instant does not judge it"


def _dropped(value: bytes) -> Iterator[str]:
    for field, why in dropped_fields(value):
        yield f"dropped: `{field}`: {why}"


def send(bootstrap_servers: str, topic: str, values: Iterable[bytes]) -> Iterator[Judged]:
    """Send records, each with its device as the key, and yield what the jobs make of them.

    Raises:
        FleetpulseError: no broker answers, the topic is not there, or a record is not taken.
    """
    failed: list[KafkaError] = []

    def taken(error: KafkaError | None, _message: Message) -> None:
        failed.extend([error] if error is not None else [])

    settings = {"partitioner": "murmur2_random", "message.max.bytes": 16 << 20, "log_level": 0}
    producer = Producer({"bootstrap.servers": bootstrap_servers, **settings})
    partitions_of(producer, bootstrap_servers, topic)
    for value in values:
        record = judged(value, time.time_ns() // 1_000_000)
        try:
            producer.produce(topic, value, record.key, on_delivery=taken)
        except KafkaException as refused:
            raise FleetpulseError(f"{topic} takes no such record: {refused.args[0].str()}") from refused
        producer.poll(0)
        yield record
    if producer.flush(_ANSWER_S) or failed:
        why = failed[0].str() if failed else f"no answer for {_ANSWER_S:.0f} s"
        raise FleetpulseError(f"not all records reached {topic}: {why}")
