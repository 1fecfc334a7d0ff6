"""Sends letters to where they came from again, exactly once: records and ledger are written in one transaction."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec
from confluent_kafka import KafkaError, Message, Producer

from fleetpulse.deadletters.letter import Entry, Letter, Outcome, Position
from fleetpulse.deadletters.topics import position_of
from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka.transactions import ANSWER_S, exclusive_producer, one_line

_LETTERS_A_TRANSACTION = 200


class Task(NamedTuple):
    """One replay: write `value`, repaired or unchanged, to `topic`."""

    letter: Letter
    outcome: Outcome
    retries: int
    topic: str
    value: bytes | None


def replay(
    bootstrap_servers: str, letters_topic: str, ledger_topic: str, plan: Callable[[], Iterable[Task]], now_ms: int
) -> Iterator[Task]:
    """Carry out `plan`, note it in the ledger, and yield what was done.

    `plan` is asked once this process is the only one that may put letters of the topic back: whoever was at it before
    can no longer commit, so that what the ledger says then stays true.

    Raises:
        FleetpulseError: a broker refuses, or another process has taken over. What was not committed was not done.
    """
    with one_line(f"letters of {letters_topic} cannot be replayed"):
        producer = exclusive_producer(bootstrap_servers, f"fleetpulse-replay-{letters_topic}")
    tasks = iter(plan())
    while part := list(islice(tasks, _LETTERS_A_TRANSACTION)):
        with one_line("the letters from here on were left as they are"):
            _commit(producer, ledger_topic, part, now_ms)
        yield from part


def _commit(producer: Producer, ledger_topic: str, tasks: Sequence[Task], now_ms: int) -> None:
    producer.begin_transaction()
    landed = _send(producer, tasks)
    for task, position in zip(tasks, landed, strict=True):
        entry = Entry(task.outcome, task.retries, now_ms, str(position))
        producer.produce(ledger_topic, msgspec.json.encode(entry), str(task.letter.origin))
    producer.commit_transaction(ANSWER_S)


def _send(producer: Producer, tasks: Sequence[Task]) -> list[Position]:
    """Write the records and wait until the broker has them; returns where they landed."""
    landed: dict[int, Position] = {}

    def noted(number: int) -> Callable[[KafkaError | None, Message], None]:
        def note(error: KafkaError | None, message: Message) -> None:
            if error is None:
                landed[number] = position_of(message)

        return note

    for number, (letter, _, _, topic, value) in enumerate(tasks):
        headers: dict[str, str | bytes | None] = {"fleetpulse.replay_of": str(letter.position)}
        # The record keeps its timestamp: a replay is no new heartbeat. librdkafka takes 0 for the present time.
        timestamp_ms = max(1, letter.kafka_time_ms)
        producer.produce(topic, value, letter.key, timestamp=timestamp_ms, headers=headers, on_delivery=noted(number))
    producer.flush(ANSWER_S)
    if len(landed) < len(tasks):
        producer.abort_transaction(ANSWER_S)
        raise FleetpulseError(f"the broker took {len(landed)} of {len(tasks)} records within {ANSWER_S:.0f} s")
    return [landed[number] for number in range(len(tasks))]
