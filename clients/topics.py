"""Makes Kafka topics."""

from collections.abc import Iterable

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from fleetpulse.errors import FleetpulseError
from fleetpulse.topics import Topic


def ensure_topics(bootstrap_servers: str, topics: Iterable[Topic]) -> list[str]:
    """Make the topics that are not there; those that are stay as they are.

    Args:
        bootstrap_servers: `host:port` of brokers, comma-separated.
        topics: what must exist afterwards.

    Returns:
        The names of those made now.

    Raises:
        FleetpulseError: no broker answers, or it refuses.
    """
    try:
        with KafkaAdminClient(bootstrap_servers=bootstrap_servers.split(",")) as admin:
            existing = set(admin.list_topics())
            return [topic.name for topic in topics if topic.name not in existing and _make(admin, topic)]
    except KafkaError as failed:
        raise FleetpulseError(f"cannot prepare topics at {bootstrap_servers}: {failed}") from failed


def _make(admin: KafkaAdminClient, topic: Topic) -> bool:
    try:
        admin.create_topics(
            {topic.name: {"num_partitions": topic.partitions, "configs": dict(topic.config)}}, wait_for_metadata=True
        )
    except TopicAlreadyExistsError:  # somebody else was faster
        return False
    return True
