"""Creates, deletes and counts Kafka topics."""

from collections.abc import Iterable

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from fleetpulse.errors import FleetpulseError
from fleetpulse.topics import Topic

_LEADERS_MS = 60_000  # until a new topic's partitions have leaders, on a busy broker


def ensure_topics(bootstrap_servers: str, topics: Iterable[Topic]) -> list[str]:
    """Create missing topics; existing ones stay as they are.

    Args:
        bootstrap_servers: `host:port` of brokers, comma-separated.
        topics: what must exist afterwards.

    Returns:
        The names of those made now.

    Raises:
        FleetpulseError: no broker answers, or it refuses.
    """
    try:
        with _admin(bootstrap_servers) as admin:
            existing = set(admin.list_topics())
            return [topic.name for topic in topics if topic.name not in existing and _make(admin, topic)]
    except KafkaError as failed:
        raise FleetpulseError(f"cannot prepare topics at {bootstrap_servers}: {failed}") from failed


def _admin(bootstrap_servers: str) -> KafkaAdminClient:
    # Its pauses between attempts grow to 30 s by default: a broker that has just started would wait for us.
    return KafkaAdminClient(bootstrap_servers=bootstrap_servers.split(","), reconnect_backoff_max_ms=1_000)


def _make(admin: KafkaAdminClient, topic: Topic) -> bool:
    try:
        admin.create_topics({topic.name: {"num_partitions": topic.partitions, "configs": dict(topic.config)}})
        admin.wait_for_topics([topic.name], _LEADERS_MS)
    except TopicAlreadyExistsError:  # another process was faster
        return False
    return True


def topic_names(bootstrap_servers: str) -> set[str]:
    """The names of all topics.

    Raises:
        FleetpulseError: no broker answers.
    """
    try:
        with _admin(bootstrap_servers) as admin:
            return set(admin.list_topics())
    except KafkaError as failed:
        raise FleetpulseError(f"cannot list topics at {bootstrap_servers}: {failed}") from failed


def delete_topics(bootstrap_servers: str, topics: Iterable[Topic]) -> None:
    """Delete topics with their records; a missing topic is not an error.

    Args:
        bootstrap_servers: `host:port` of brokers, comma-separated.
        topics: the names of the topics.

    Raises:
        FleetpulseError: no broker answers, or it refuses.
    """
    try:
        with _admin(bootstrap_servers) as admin:
            existing = set(admin.list_topics())
            admin.delete_topics([topic.name for topic in topics if topic.name in existing])
    except KafkaError as failed:
        raise FleetpulseError(f"cannot delete topics at {bootstrap_servers}: {failed}") from failed


def partition_count(bootstrap_servers: str, topics: Iterable[str]) -> int:
    """How many partitions the topics have in all.

    Args:
        bootstrap_servers: `host:port` of brokers, comma-separated.
        topics: names of topics that exist.

    Raises:
        FleetpulseError: no broker answers.
    """
    try:
        with _admin(bootstrap_servers) as admin:
            return sum(len(topic["partitions"]) for topic in admin.describe_topics(list(topics)))
    except KafkaError as failed:
        raise FleetpulseError(f"cannot look at topics at {bootstrap_servers}: {failed}") from failed
