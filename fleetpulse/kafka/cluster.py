"""The state of a Kafka cluster: its brokers, its controllers, and the copies of its partitions."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError

from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.topics import TOPICS, Topic, ticks

PROBE = Topic("fleetpulse.probe", 1, {"retention.ms": "3600000"})
_ANSWER_S = 30.0


@dataclass(frozen=True)
class Partition:
    """The nodes of a partition by id; leader -1 if nobody can write to it."""

    topic: str
    number: int
    leader: int
    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]


@dataclass(frozen=True)
class Cluster:
    """The brokers' addresses by node id, the controllers' ids, the id of the one that leads, and all partitions."""

    brokers: Mapping[int, str]
    controllers: tuple[int, ...]
    leader: int
    partitions: tuple[Partition, ...]


@dataclass(frozen=True)
class Found:
    """A topic as it is: how many partitions, copies of each, and which settings differ from the brokers' own."""

    partitions: int
    replicas: int
    config: Mapping[str, str]


def cluster(bootstrap_servers: str) -> Cluster:
    """The cluster as it is now.

    Raises:
        FleetpulseError: no broker answers.
    """
    with admin(bootstrap_servers) as client:
        answering = [broker for broker in client.describe_cluster()["brokers"] if not broker["is_fenced"]]
        quorum = client.describe_metadata_quorum()["topics"][0]["partitions"][0]
        partitions = tuple(
            Partition(t["name"], p["partition_index"], p["leader_id"], tuple(p["replica_nodes"]), tuple(p["isr_nodes"]))
            for t in client.describe_topics()
            for p in t["partitions"]
        )
    brokers = {broker["broker_id"]: f"{broker['host']}:{broker['port']}" for broker in answering}
    voters = tuple(sorted(voter["replica_id"] for voter in quorum["current_voters"]))
    return Cluster(dict(sorted(brokers.items())), voters, quorum["leader_id"], partitions)


def faults(found: Cluster) -> Iterator[str]:
    """The faults of a cluster, one line each."""
    for node in sorted(set(found.controllers) - found.brokers.keys()):
        yield f"node {node} is a controller and does not answer"
    for p in found.partitions:
        if p.leader < 0:
            yield f"{p.topic}:{p.number} has no leader: nobody can read or write it"
        elif len(p.in_sync) < len(p.replicas):
            yield f"{p.topic}:{p.number} has {len(p.in_sync)} of {len(p.replicas)} copies in sync"


def topics_as_they_are(bootstrap_servers: str) -> dict[str, Found]:
    """The topics that exist, but for Kafka's own.

    Raises:
        FleetpulseError: no broker answers.
    """
    with admin(bootstrap_servers) as client:
        described = [topic for topic in client.describe_topics() if not topic["is_internal"]]
        resources = [ConfigResource(ConfigResourceType.TOPIC, topic["name"]) for topic in described]
        configs = client.describe_configs(resources)["topic"] if described else {}
    return {
        topic["name"]: Found(
            len(topic["partitions"]),
            min(len(p["replica_nodes"]) for p in topic["partitions"]),
            {name: setting["value"] for name, setting in configs[topic["name"]].items()},
        )
        for topic in described
    }


def expected(found: Iterable[str]) -> list[Topic]:
    """The topics that there should be. Those of ticks are made by their jobs: such as are there."""
    prefix = ticks("").name
    return [*TOPICS, *(ticks(name.removeprefix(prefix)) for name in sorted(found) if name.startswith(prefix))]


def differences(topic: Topic, found: Found | None) -> list[str]:
    """How a topic differs from what it should be. More partitions than it is made with are fine."""
    if found is None:
        return ["missing"]
    few = (
        [f"{found.partitions} partitions instead of {topic.partitions}"] if found.partitions < topic.partitions else []
    )
    settings = [
        f"{name} is {found.config.get(name, 'not set')} instead of {value}"
        for name, value in topic.config.items()
        if found.config.get(name) != value
    ]
    return few + settings


def there_and_back(bootstrap_servers: str, value: bytes) -> None:
    """Write a record into a topic of its own and read it again.

    Raises:
        FleetpulseError: it cannot be written or read.
    """
    ensure_topics(bootstrap_servers, [PROBE])
    offsets: list[int] = []
    settings = {"bootstrap.servers": bootstrap_servers, "log_level": 0}
    producer = Producer(settings | {"message.timeout.ms": int(_ANSWER_S * 1000)})
    producer.produce(PROBE.name, value, on_delivery=lambda error, m: None if error else offsets.append(m.offset() or 0))
    producer.flush(_ANSWER_S)
    if not offsets:
        raise FleetpulseError(f"{bootstrap_servers} takes no record within {_ANSWER_S:.0f} s")
    consumer = Consumer(settings | {"group.id": PROBE.name, "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition(PROBE.name, 0, offsets[0])])
        message = consumer.poll(_ANSWER_S)
    except KafkaException as failed:
        raise FleetpulseError(f"{bootstrap_servers} gives no record back: {failed.args[0].str()}") from failed
    finally:
        consumer.close()
    if message is None or message.value() != value:
        raise FleetpulseError(f"{bootstrap_servers} does not give the record back that it has taken")


@contextmanager
def admin(bootstrap_servers: str) -> Iterator[KafkaAdminClient]:
    """A client for administration; Kafka's errors within the context become one line."""
    try:
        with KafkaAdminClient(bootstrap_servers=bootstrap_servers.split(",")) as client:
            yield client
    except KafkaError as failed:
        raise FleetpulseError(f"no broker answers at {bootstrap_servers}: {failed}") from failed
