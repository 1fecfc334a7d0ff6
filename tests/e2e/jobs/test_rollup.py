"""Coarser windows, by site and by device, are the sums of the finer ones."""

import json
import uuid
from collections import defaultdict
from collections.abc import Callable

import pytest
from confluent_kafka import Producer

from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.stack import rest, submit
from fleetpulse.topics import Topic
from fleetpulse.windows.tumbling import Aggregate, Total, to_json
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.jobs import lasting
from tests.e2e.support.kafka import messages
from tests.e2e.support.scenarios import START_MS
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

FINE = [
    Aggregate(
        f"d{device}",
        f"hall-{device % 2}" if device else None,
        "temperature_c",
        START_MS + minute * 60_000,
        60_000,
        Total(60, 60.0 * (device + minute), float(device), float(device + minute), 1.0, None),
    )
    for minute in range(180)
    for device in range(5)
]


@pytest.mark.parametrize(
    ("by", "name_of"), [("site", lambda a: a.site), ("device", lambda a: a.device_id)], ids=["site", "device"]
)
def test_hours_are_made_of_minutes(stack: EmbeddedStack, by: str, name_of: Callable[[Aggregate], str | None]) -> None:
    topic = f"fine-{uuid.uuid4().hex[:8]}"
    ensure_topics(stack.bootstrap, [lasting(Topic(name, 3)) for name in (topic, f"{topic}.{by}")])
    producer = Producer({"bootstrap.servers": stack.bootstrap})
    for aggregate in FINE:
        producer.produce(topic, to_json(aggregate), aggregate.device_id)
    assert producer.flush(60) == 0
    places = ["--aggregates.topic", topic, "--rollup.topic", f"{topic}.{by}"]
    given = [*submit.defaults(stack.layout, "rollup"), *places, "--by", by, "--bounded", "--parallelism", "1"]
    job = submit.submit(stack.layout, "rollup", given)
    wait_until("the job to end", lambda: rest.get(stack.flink_rest, f"/jobs/{job}")["state"] == "FINISHED")
    expected: dict[tuple, list[Aggregate]] = defaultdict(list)
    for aggregate in FINE:
        expected[name_of(aggregate), aggregate.start_ms // 3_600_000].append(aggregate)
    coarse = [json.loads(message.value()) for message in messages(stack.bootstrap, f"{topic}.{by}")]
    assert len(coarse) == len(expected)
    for window in coarse:
        hour = int(window["window_start"][11:13])
        fine = expected[window["site" if by == "site" else "device_id"], START_MS // 3_600_000 + hour]
        assert window["count"] == sum(a.total.count for a in fine)
        assert window["sum"] == pytest.approx(sum(a.total.sum for a in fine), rel=1e-12)
        assert (window["min"], window["max"]) == (min(a.total.min for a in fine), max(a.total.max for a in fine))
        assert window["avg"] == pytest.approx(window["sum"] / window["count"], rel=1e-12)
        assert by == "device" or window["devices"] == len({a.device_id for a in fine})
