"""Which run of a job may write a topic: the newest one. Kafka keeps that, so it holds between Flink clusters too.

The runs are metadata of an offset, of the consumer group `fleetpulse-writer-of-TOPIC`. A run writes it in a transaction
under that name, so of two that claim at once one is fenced and looks again.
"""

import logging
import threading
from collections.abc import Sequence

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException, TopicPartition

from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka.transactions import exclusive_producer

_logger = logging.getLogger(__name__)
_ANSWER_S = 30.0
_LOOK_EVERY_S = 2.0
_ATTEMPTS = 5
_KEPT = 40  # runs, of some 20 bytes each; Kafka keeps 4096 bytes


def claimed(runs: Sequence[str], mine: str) -> tuple[str, ...]:
    """The runs, oldest first, after `mine` has claimed the topic. A run that is there keeps its place.

    Raises:
        LookupError: a run that came after `mine` has it; names that.
    """
    if mine not in runs:
        return (*runs, mine)[-_KEPT:]
    if runs[-1] != mine:
        raise LookupError(runs[-1])
    return tuple(runs)


class TopicClaim:
    """The claim of one run on one topic.

    Args:
        bootstrap_servers: `host:port` of brokers, comma-separated.
        topic: what it alone may write.
        run: its name, without blanks, the same after each restart.
    """

    def __init__(self, bootstrap_servers: str, topic: str, run: str) -> None:
        self._servers, self._topic, self._run = bootstrap_servers, topic, run
        self._name = f"fleetpulse-writer-of-{topic}"
        settings = {"bootstrap.servers": bootstrap_servers, "group.id": self._name, "enable.auto.commit": False}
        self._consumer = Consumer(settings | {"log_level": 0})
        self._stopped = threading.Event()
        self._successor: str | None = None
        self._watching = threading.Thread(target=self._watch, daemon=True)

    def take(self) -> None:
        """Claim the topic, and look from now on whether a newer run does.

        Raises:
            FleetpulseError: a newer run has it, or Kafka does not answer.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._claim()
                break
            except KafkaException as failed:  # fenced by another that claims now, or Kafka is away
                if attempt == _ATTEMPTS:
                    raise FleetpulseError(
                        f"topic {self._topic!r} cannot be claimed: {failed.args[0].str()}"
                    ) from failed
        self.check()
        self._watching.start()

    def check(self) -> None:
        """Go on as long as no newer run is known.

        Raises:
            FleetpulseError: there is one.
        """
        if self._successor:
            raise FleetpulseError(
                f"another job, {self._successor}, was started later and writes to topic {self._topic!r}: this one, "
                f"{self._run}, must not go on; give each job a topic of its own"
            )

    def close(self) -> None:
        """Stop looking."""
        self._stopped.set()
        if self._watching.is_alive():
            self._watching.join()
        self._consumer.close()

    def _claim(self) -> None:
        producer = exclusive_producer(self._servers, self._name)
        number, runs = self._read()
        try:
            after = claimed(runs, self._run)
        except LookupError as newer:
            self._successor = str(newer.args[0])
            return
        if after != runs:
            producer.begin_transaction()
            place = TopicPartition(self._topic, 0, number + 1, " ".join(after))
            producer.send_offsets_to_transaction([place], self._consumer.consumer_group_metadata(), _ANSWER_S)
            producer.commit_transaction(_ANSWER_S)

    def _read(self) -> tuple[int, tuple[str, ...]]:
        [found] = self._consumer.committed([TopicPartition(self._topic, 0)], _ANSWER_S)
        if found.error:
            raise KafkaException(found.error)
        number = 0 if found.offset == OFFSET_INVALID else int(found.offset)
        return number, tuple((found.metadata or "").split())

    def _watch(self) -> None:
        while self._successor is None and not self._stopped.wait(_LOOK_EVERY_S):
            try:
                runs = self._read()[1]
                if not runs:  # Kafka forgets an offset, by default a week after it was committed
                    self._claim()
                elif runs[-1] != self._run:
                    self._successor = runs[-1]
            except KafkaException as failed:
                _logger.warning("cannot read who may write to %s: %s", self._topic, failed)
