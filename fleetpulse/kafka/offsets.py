"""Where a consumer group left off, and where the records of a partition begin."""

import logging
import time

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException, TopicPartition

_logger = logging.getLogger(__name__)
_ANSWER_S = 10.0
_PAUSE_S = 1.0  # between two questions about a partition: transactions leave a jump in its offsets at each commit


class PartitionOffsets:
    """Asks the brokers. What they do not answer is None and a warning: reading goes on.

    Args:
        bootstrap_servers: `host:port` of brokers, comma-separated.
        group: the consumer group.
    """

    def __init__(self, bootstrap_servers: str, group: str) -> None:
        settings = {"bootstrap.servers": bootstrap_servers, "group.id": group, "enable.auto.commit": False}
        self._consumer = Consumer(settings | {"log_level": 0})
        self._asked_s: dict[tuple[str, int], float] = {}

    def committed(self, topic: str, partition: int) -> int | None:
        """The offset after the last record that the group has read; None where it has read none."""
        try:
            [found] = self._consumer.committed([TopicPartition(topic, partition)], _ANSWER_S)
        except KafkaException as failed:
            _logger.warning("%s:%s: nobody says where reading left off: %s", topic, partition, failed)
            return None
        return None if found.error or found.offset == OFFSET_INVALID else int(found.offset)

    def log_start(self, topic: str, partition: int) -> int | None:
        """The first offset that is still there; None where that was asked within the last second."""
        now_s = time.monotonic()
        if now_s - self._asked_s.get((topic, partition), -_PAUSE_S) < _PAUSE_S:
            return None
        self._asked_s[topic, partition] = now_s
        try:
            first, _ = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), _ANSWER_S)
        except KafkaException as failed:
            _logger.warning("%s:%s: nobody says where it begins: %s", topic, partition, failed)
            return None
        return int(first)

    def close(self) -> None:
        """Let go of the brokers."""
        self._consumer.close()
