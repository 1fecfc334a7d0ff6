"""Consumer groups: which topics they read, and how far they are behind."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import NamedTuple

from kafka import TopicPartition
from kafka.admin import OffsetSpec

from fleetpulse.kafka.cluster import admin


class GroupLag(NamedTuple):
    """What a group has committed on a topic; `lag` is in records, up to the present end of its partitions."""

    group: str
    state: str  # of its members, in Kafka's words; a Flink job assigns partitions itself, and is Empty
    topic: str
    partitions: int
    lag: int


def group_lags(bootstrap_servers: str) -> list[GroupLag]:
    """The consumer groups of a cluster, a row for each topic that one has committed offsets on.

    Raises:
        FleetpulseError: no broker answers.
    """
    with admin(bootstrap_servers) as client:
        states = {group["group_id"]: group["group_state"] for group in client.list_groups()}
        committed = client.list_group_offsets(dict.fromkeys(states)) if states else {}
        there = set(client.list_topics())
        partitions = {p for offsets in committed.values() for p in offsets if p.topic in there}
        ends = client.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST)) if partitions else {}
    return lags(
        states,
        {group: {p: found.offset for p, found in offsets.items()} for group, offsets in committed.items()},
        {partition: found.offset for partition, found in ends.items()},
    )


def committed_topics(bootstrap_servers: str, groups: Collection[str]) -> list[str]:
    """The topics on which any of these consumer groups has committed offsets, as far as they exist.

    Raises:
        FleetpulseError: no broker answers.
    """
    with admin(bootstrap_servers) as client:
        known = [group["group_id"] for group in client.list_groups() if group["group_id"] in groups]
        committed = client.list_group_offsets(dict.fromkeys(known)) if known else {}
        read = {partition.topic for offsets in committed.values() for partition in offsets}
        return sorted(read & set(client.list_topics()))


def lags(
    states: Mapping[str, str],
    committed: Mapping[str, Mapping[TopicPartition, int]],
    ends: Mapping[TopicPartition, int],
) -> list[GroupLag]:
    """Rows by group and topic, from committed offsets and ends; partitions without an end were deleted: no row."""
    behind: dict[tuple[str, str], list[int]] = defaultdict(list)
    for group, offsets in committed.items():
        for partition, offset in offsets.items():
            if partition in ends and offset >= 0:  # Kafka's -1: nothing was committed
                behind[group, partition.topic].append(max(0, ends[partition] - offset))
    return [
        GroupLag(group, states[group], topic, len(found), sum(found))
        for (group, topic), found in sorted(behind.items())
    ]
