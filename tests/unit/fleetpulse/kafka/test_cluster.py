"""What is said of a cluster and its topics."""

import pytest

from fleetpulse.kafka.cluster import Cluster, Found, Partition, differences, expected, faults
from fleetpulse.topics import TOPICS, Topic, ticks

WHOLE = Partition("alerts", 0, leader=1, replicas=(1, 2), in_sync=(2, 1))
THREE = {1: "kafka:9092", 2: "kafka-2:9092", 3: "kafka-3:9092"}
WANTED = Topic("events", 3, {"max.message.bytes": "17825792"})


def test_a_cluster_whose_copies_are_all_in_sync_has_no_fault() -> None:
    assert list(faults(Cluster(THREE, (1, 2, 3), 1, (WHOLE,)))) == []


@pytest.mark.parametrize(
    ("cluster", "fault"),
    [
        (
            Cluster({1: "kafka:9092", 2: "kafka-2:9092"}, (1, 2, 3), 1, (WHOLE,)),
            "node 3 is a controller and does not answer",
        ),
        (
            Cluster(THREE, (1,), 1, (Partition("alerts", 0, 1, (1, 2), (1,)),)),
            "alerts:0 has 1 of 2 copies in sync",
        ),
        (
            Cluster(THREE, (1,), 1, (Partition("alerts", 0, -1, (1, 2), (1,)),)),
            "alerts:0 has no leader: nobody can read or write it",
        ),
    ],
    ids=["a lost node", "a copy behind", "no leader"],
)
def test_what_is_wrong_is_named_once(cluster: Cluster, fault: str) -> None:
    assert list(faults(cluster)) == [fault]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Found(3, 1, {"max.message.bytes": "17825792"}), []),
        (Found(6, 2, {"max.message.bytes": "17825792", "retention.ms": "1000"}), []),
        (None, ["missing"]),
        (Found(2, 1, {"max.message.bytes": "17825792"}), ["2 partitions instead of 3"]),
        (Found(3, 1, {}), ["max.message.bytes is not set instead of 17825792"]),
    ],
    ids=["as made", "more partitions and settings of one's own", "missing", "fewer partitions", "a setting"],
)
def test_a_topic_differs_where_records_would_not_fit(found: Found | None, said: list[str]) -> None:
    assert differences(WANTED, found) == said


def test_ticks_of_jobs_that_have_run_are_expected_and_no_others() -> None:
    assert expected([]) == [*TOPICS]
    there = ["events", "other", "fleetpulse.ticks.anomaly", "fleetpulse.probe"]
    assert expected(there) == [*TOPICS, ticks("anomaly")]
