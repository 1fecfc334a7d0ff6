"""Sends records to Kafka and counts acknowledgements."""

from collections.abc import Callable
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from tenacity import RetryError, Retrying, retry_if_exception, wait_fixed

from fleetpulse.errors import FleetpulseError
from generator.payloads.records import Record
from generator.sending.interrupt import Stop
from generator.sending.stall import StallWatch

_SERVE_EVERY = 1_000  # records; callbacks are served in between
_AWAY = frozenset({KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE})


def producer(bootstrap: str) -> Producer:
    """Return a producer that keeps all its records, however long the broker is away."""
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "client.id": "fleetpulse-simulator",
            "enable.idempotence": True,
            "message.timeout.ms": 0,  # retried for ever
            "message.max.bytes": 16 << 20,
            "partitioner": "murmur2_random",  # the one Java producers use
            "compression.type": "lz4",
            "linger.ms": 20,
            "batch.size": 1 << 20,
            "queue.buffering.max.messages": 200_000,
            "queue.buffering.max.kbytes": 256 << 10,
            "reconnect.backoff.max.ms": 1_000,
            "delivery.report.only.error": True,
            "log_level": 0,  # StallWatch and the final count report what matters
        }
    )


def wait_for_kafka(client: Producer, watch: StallWatch, stop: Stop) -> bool:
    """Wait until a broker answers. False when asked to stop meanwhile.

    Raises:
        FleetpulseError: it answers, but refuses us.
    """
    attempts = Retrying(
        retry=retry_if_exception(_is_away),
        wait=wait_fixed(0.5),
        stop=lambda _: stop.asked(),
        before_sleep=lambda _: watch.quiet(0),
    )
    try:
        attempts(client.list_topics, timeout=1.0)
    except RetryError:
        return False
    except KafkaException as refused:
        raise FleetpulseError(f"Kafka refuses us: {refused.args[0].str()}") from refused
    watch.moved()
    return True


def _is_away(failed: BaseException) -> bool:
    return isinstance(failed, KafkaException) and failed.args[0].code() in _AWAY


class Sender:
    """Sends records to one topic.

    Attributes:
        topic: where they go.
        given: records handed to the client, and given_bytes their keys and values.
        confirmed: how many Kafka had when acknowledgements were let in last; never less than before.
        reached_ms: send time of the last of them, epoch ms; 0 before the first.
        failed: records that were refused or given up.
        first_failure: why the first of them failed.
        earliest_failed_ms: the lowest Kafka timestamp among them, epoch ms.
    """

    def __init__(
        self, client: Producer, topic: str, watch: StallWatch, stop: Stop, progress: Callable[[int, int], object]
    ) -> None:
        self.topic = topic
        self.given = self.given_bytes = self.confirmed = self.reached_ms = self.failed = 0
        self.first_failure: str | None = None
        self.earliest_failed_ms: int | None = None
        self._client, self._watch, self._stop, self._progress = client, watch, stop, progress

    @property
    def acknowledged(self) -> int:
        """How many records Kafka has for certain."""
        return self.given - self.failed - self.waiting

    @property
    def waiting(self) -> int:
        """How many records are on their way."""
        return len(self._client)

    def send(self, record: Record) -> None:
        """Hand over one record; waits while the queue is full, as it is when the broker is away for long."""
        self.reached_ms, key, value, timestamp_ms = record
        self.given_bytes += len(key) + len(value or b"")
        while True:
            try:
                # A failed message has lost its timestamp, so the callback carries it.
                delivered = partial(self._delivered, timestamp_ms)
                self._client.produce(self.topic, value, key, timestamp=timestamp_ms, on_delivery=delivered)
                self.given += 1
                break
            except BufferError:
                if self._stop.insisted():
                    self.given += 1
                    self._fail("given up while the broker took no more", timestamp_ms)
                    return
                self.serve(0.1)
            except KafkaException as fatal:
                raise FleetpulseError(f"cannot send to {self.topic}: {fatal.args[0].str()}") from fatal
        if self.given % _SERVE_EVERY == 0:
            self.serve(0)

    def serve(self, seconds: float) -> None:
        """Let acknowledgements in for up to so many seconds."""
        self._client.poll(seconds)
        held, before, self.confirmed = self.waiting, self.confirmed, self.acknowledged
        if held and self.confirmed == before:
            self._watch.quiet(held)
        else:
            self._watch.moved()
        self._progress(self.confirmed, self.reached_ms)

    def finish(self) -> None:
        """Wait until all is acknowledged. What is not when one insists on stopping has failed."""
        while len(self._client) and not self._stop.insisted():
            self._client.flush(0.1)
            self.serve(0)
        if len(self._client):
            self._client.purge()
            self._client.flush(5)

    def _delivered(self, timestamp_ms: int, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._fail(error.str(), timestamp_ms)

    def _fail(self, why: str, timestamp_ms: int) -> None:
        self.failed += 1
        self.first_failure = self.first_failure or why
        self.earliest_failed_ms = min(timestamp_ms, self.earliest_failed_ms or timestamp_ms)
