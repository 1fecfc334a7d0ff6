"""What arrives on topics, in words: which metrics, which fields are dropped and why, and which rules have nothing."""

import time
from collections.abc import Iterator, Sequence

from fleetpulse.cli.tables import counted
from fleetpulse.kafka.reading import last_records
from fleetpulse.records.arriving import Arriving
from fleetpulse.records.reasons import SENTENCES
from fleetpulse.times import DEFAULT_FUTURE_SKEW_MS

SAMPLE = 1_000
_MOST_SHOWN = 10


def sample(bootstrap_servers: str, topics: Sequence[str], records: int = SAMPLE) -> Arriving:
    """Decode the last records of topics as the jobs do; Avro is only counted.

    Raises:
        FleetpulseError: no broker answers, or a topic is not there.
    """
    found = Arriving()
    for topic in topics:
        messages = last_records(bootstrap_servers, topic, records)
        now_ms = time.time_ns() // 1_000_000
        times_ms = [at_ms if (at_ms := message.timestamp()[1]) >= 0 else now_ms for message in messages]
        found.take([message.value() for message in messages], times_ms, DEFAULT_FUTURE_SKEW_MS)
    return found


def in_words(found: Arriving) -> Iterator[str]:
    """A line for all of a sample, and one for each thing that is not read."""
    measured = ", ".join(f"{name} in {count:,}" for name, count in found.metrics.most_common()) or "no metric"
    of = f"of {counted(len(found.devices), 'device')}"
    yield f"the last {counted(found.records, 'record')}, {of}: {measured}" if found.records else "no record is there"
    if found.avro:
        yield f"and {counted(found.avro, 'record')} in Avro, which are not decoded here"
    for reason, count in found.rejected.most_common():
        yield f"rejected: {count:,} as {reason}: {SENTENCES[reason]}"
    for dropped, count in found.dropped.most_common(_MOST_SHOWN):
        yield f"dropped: `{dropped.field}` in {count:,}: {dropped.why}"
    if (more := len(found.dropped) - _MOST_SHOWN) > 0:
        yield f"dropped: {more:,} more fields"
