"""Dead letters: the fields of a rejected record, and the decision what to do with it.

The record behind a letter is replayed at most once, also where a job that read its topic again made a second letter of
it. A replay that is rejected again makes a letter whose origin is where the replay landed: that is how retries are
counted, without a mark in the record itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

UNKNOWN_REASON = "unknown"


class Position(NamedTuple):
    """The position of a record in Kafka."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"

    @classmethod
    def read(cls, text: str) -> "Position":
        """Read `topic:partition:offset`.

        Raises:
            ValueError: it is no such thing.
        """
        topic, partition, offset = text.rsplit(":", 2)
        return cls(topic, int(partition), int(offset))


class Letter(NamedTuple):
    """A dead letter. `origin` and `failed_at_ms` are None if it has none; times in epoch ms."""

    position: Position
    origin: Position | None
    reason: str
    failed_at_ms: int | None
    kafka_time_ms: int
    key: bytes | None
    value: bytes | None


def read_letter(
    position: Position, kafka_time_ms: int, key: bytes | None, value: bytes | None, headers: Mapping[str, bytes]
) -> Letter:
    """Read the letter at `position` by the headers of docs/contracts.md; missing ones stay None."""
    texts = {name: content.decode(errors="replace") for name, content in headers.items()}
    reason = texts.get("fleetpulse.reason", UNKNOWN_REASON)
    return Letter(position, _origin(texts), reason, _failed_at_ms(texts), kafka_time_ms, key, value)


def _origin(headers: Mapping[str, str]) -> Position | None:
    try:
        topic, partition, offset = (headers[f"__connect.errors.{part}"] for part in ("topic", "partition", "offset"))
        return Position(topic, int(partition), int(offset))
    except (KeyError, ValueError):
        return None


def _failed_at_ms(headers: Mapping[str, str]) -> int | None:
    try:
        return int(datetime.fromisoformat(headers["fleetpulse.failed_at"]).timestamp() * 1000)
    except (KeyError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection of letters; empty or None selects all. Instants are of the failure, in epoch ms."""

    reasons: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    since_ms: int | None = None
    until_ms: int | None = None
    positions: frozenset[tuple[int, int]] = frozenset()  # partition and offset

    def wants(self, letter: Letter) -> bool:
        """Return whether `letter` is selected. One without a field that the selection needs is not."""
        origin, failed_at_ms = letter.origin, letter.failed_at_ms
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.topics or (origin is not None and origin.topic in self.topics))
            and (self.since_ms is None or (failed_at_ms is not None and failed_at_ms >= self.since_ms))
            and (self.until_ms is None or (failed_at_ms is not None and failed_at_ms < self.until_ms))
            and (not self.positions or letter.position[1:] in self.positions)
        )


class Outcome(StrEnum):
    """What was done with a letter."""

    REPLAYED = "replayed"
    PARKED = "parked"


class Entry(msgspec.Struct, frozen=True):
    """A ledger entry. `landed` is the position the record was written to, `retries` how often so far."""

    outcome: Outcome
    retries: int
    at_ms: int
    landed: str


@dataclass(slots=True)
class Ledger:
    """What was done so far: by the origin of the letter, and by where its record landed."""

    entries: dict[Position, Entry] = field(default_factory=dict)
    landed: dict[Position, Entry] = field(default_factory=dict)

    def add(self, origin: Position, entry: Entry) -> None:
        """Note what was done with the record that was rejected at `origin`."""
        self.entries[origin] = self.landed[Position.read(entry.landed)] = entry


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a record is tried again, and how long after the first retry; each further wait is twice as long."""

    max_retries: int = 3
    backoff_ms: int = 60_000


class LetterState(StrEnum):
    """What may be done with a letter now."""

    REPLAYABLE = "replayable"
    WAITING = "waiting"  # its last retry is too recent
    EXHAUSTED = "exhausted"  # to be parked
    REPLAYED = "replayed"
    PARKED = "parked"
    NO_ORIGIN = "no origin"  # it does not say where it belongs


class Verdict(NamedTuple):
    """A letter's state, and how many retries its record has had."""

    state: LetterState
    retries: int
    due_ms: int | None = None


def decide(letter: Letter, ledger: Ledger, policy: RetryPolicy, now_ms: int) -> Verdict:
    """Decide what may be done with `letter` now."""
    if letter.origin is None:
        return Verdict(LetterState.NO_ORIGIN, 0)
    done = ledger.entries.get(letter.origin)
    if done is not None:
        return Verdict(LetterState(done.outcome), done.retries)
    before = ledger.landed.get(letter.origin)
    if before is None:
        return Verdict(LetterState.REPLAYABLE, 0)
    if before.retries >= policy.max_retries:
        return Verdict(LetterState.EXHAUSTED, before.retries)
    due_ms = before.at_ms + policy.backoff_ms * 2 ** (before.retries - 1)
    return Verdict(LetterState.WAITING if now_ms < due_ms else LetterState.REPLAYABLE, before.retries, due_ms)
