"""The versions of a rule set on their topic: one record a version, its number the key, so that compaction keeps all."""

from collections.abc import Callable
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message

from fleetpulse.errors import ConfigurationError, FleetpulseError
from fleetpulse.kafka.reading import read_to_end
from fleetpulse.kafka.transactions import ANSWER_S, exclusive_producer, one_line
from fleetpulse.rules.parts import RuleError
from fleetpulse.rules.versions import Version, Versions, decode, encode, merged
from fleetpulse.times import iso

_SUBMITTED = "fleetpulse.submitted"  # header of a version that a job has published from its --rules
_TAKEN_OVER = (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)


class Book(NamedTuple):
    """What a topic holds: versions in the order in which they take effect, and a line for each other record.

    `submitted` is the last version that a job has published from its `--rules`, by number.
    """

    versions: Versions
    unreadable: tuple[str, ...]
    next_number: int  # greater than any that was ever given
    submitted: Version | None = None

    def numbered(self, number: int) -> Version:
        """The version of a number.

        Raises:
            ConfigurationError: no version has it.
        """
        for version in self.versions:
            if version.version == number:
                return version
        known = ", ".join(str(v) for v in sorted(v.version for v in self.versions)) or "none"
        raise ConfigurationError(f"there is no version {number}; there are: {known}")


def read_book(bootstrap_servers: str, topic: str) -> Book:
    """Read all versions that are on the topic now.

    Raises:
        FleetpulseError: no broker answers, or the topic is not there.
    """
    versions: list[Version] = []
    unreadable: list[str] = []
    submitted: list[Version] = []
    numbers = [0]
    for message in read_to_end(bootstrap_servers, topic, "fleetpulse-rules"):
        numbers.append(_number_in_key(message))
        try:
            version = decode(message.value() or b"")
        except RuleError as bad:
            unreadable.append(f"{topic}:{message.partition()}:{message.offset()} holds no rules: {bad}")
            continue
        versions.append(version)
        if _is_submitted(message, version):
            submitted.append(version)
    numbers += [version.version for version in versions]
    latest = max(submitted, key=lambda version: version.version, default=None)
    return Book(merged((), versions), tuple(unreadable), max(numbers) + 1, latest)


def publish(
    bootstrap_servers: str, topic: str, decide: Callable[[Book], Version | None], submitted: bool = False
) -> Version | None:
    """Publish what `decide` makes of the versions there are; None publishes nothing. Returns once brokers have it.

    `submitted` marks the version as a job's own, see `Book.submitted`.

    `decide` is asked once this process is the only one that may publish on the topic: whoever was at it before can no
    longer commit. So no number is given twice, however many publish at the same time.

    Raises:
        FleetpulseError: a broker refuses, or another process has taken over; nothing was published then.
    """
    with one_line(f"nothing was published on {topic}"):
        producer = exclusive_producer(bootstrap_servers, f"fleetpulse-rules-{topic}")
    version = decide(read_book(bootstrap_servers, topic))
    if version is None:
        return None
    record = encode(version)
    assert decode(record) == version, "what is published is what was checked"
    with one_line(f"version {version.version} was not published on {topic}"):
        try:
            producer.begin_transaction()
            producer.produce(topic, record, str(version.version), headers=[(_SUBMITTED, b"")] if submitted else [])
            producer.commit_transaction(ANSWER_S)
        except KafkaException as failed:
            if failed.args[0].code() in _TAKEN_OVER:
                raise FleetpulseError(
                    "someone else is publishing rules at the same time; see what is there"
                ) from failed
            raise
    return version


def acknowledged_too_late(version: Version, now_ms: int) -> str | None:
    """What to know about a version that brokers have acknowledged now, if that is after it took effect."""
    if not 0 < version.effective_from_ms < now_ms:
        return None
    return (
        f"version {version.version} was acknowledged only at {iso(now_ms)}, after it took effect: until then readings "
        "may have been evaluated by the version before, and a replay will evaluate them by this one"
    )


def _number_in_key(message: Message) -> int:
    key = message.key() or b""
    return int(key) if key.isdigit() and len(key) < 10 else 0


def _is_submitted(message: Message, version: Version) -> bool:
    """Whether a job has published it. Releases without the header published first versions only."""
    return version.expects_from_ms is not None or _SUBMITTED in dict(message.headers() or ())
