"""`fleetpulse dlq`: list, show, count and replay dead letters."""

import heapq
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import click

from fleetpulse import topics
from fleetpulse.cli.connections import bootstrap_servers
from fleetpulse.cli.files import read_bytes
from fleetpulse.cli.parameters import (
    EXISTING_FILE,
    INSTANT_FORMS,
    TOPIC,
    Duration,
    Instant,
    Whole,
    topic_option,
)
from fleetpulse.cli.settings import FLAG, option
from fleetpulse.cli.tables import console
from fleetpulse.deadletters import show
from fleetpulse.deadletters.letter import (
    Ledger,
    Letter,
    LetterState,
    Outcome,
    RetryPolicy,
    Selection,
    Verdict,
    decide,
)
from fleetpulse.deadletters.replay import Task, replay
from fleetpulse.deadletters.simulate import simulate_command
from fleetpulse.deadletters.topics import letters, read_ledger
from fleetpulse.errors import ConfigurationError
from fleetpulse.kafka.broker import reach
from fleetpulse.kafka.reading import require_topics
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.records.reading import Rejection, decode_record
from fleetpulse.records.reasons import Reason
from fleetpulse.times import DEFAULT_FUTURE_SKEW_MS

_BOUND_MS = 2_000  # the jobs' own defaults, to predict which records will be late or rejected again
_REASONS = [reason.value for reason in Reason]

_dlq_topic = topic_option(
    "dlq.topic",
    topics.DEAD_LETTERS.name,
    "Topic of dead letters; its ledger is <topic>.ledger, what is given up goes to <topic>.parked.",
    parameter="topic",
    variables=("DLQ_TOPIC",),
)


def _place(_context: click.Context, _parameter: click.Parameter, ids: tuple[str, ...]) -> frozenset[tuple[int, int]]:
    try:
        positions = [tuple(map(int, text.split(":"))) for text in ids]
        return frozenset((partition, offset) for partition, offset in positions)
    except ValueError:
        raise click.BadParameter(
            f"{' '.join(ids)}: a letter's id is partition:offset, as `dlq list` shows it"
        ) from None


def _selecting(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that select letters, as one argument `selection`."""

    @wraps(command)  # and with it the options that stand below
    def select(
        reason: tuple[str, ...], origin: tuple[str, ...], since: int | None, until: int | None, **rest: Any
    ) -> Any:
        positions = rest.pop("ids", frozenset())
        return command(selection=Selection(frozenset(reason), frozenset(origin), since, until, positions), **rest)

    decorated: Callable[..., Any] = select
    for declared in (
        option("until", Instant(), f"Rejected before this: {INSTANT_FORMS}.", environment=False),
        option("since", Instant(), f"Rejected at this instant or later: {INSTANT_FORMS}.", environment=False),
        option(
            "topic",
            TOPIC,
            "Read from this topic; may be given several times.",
            parameter="origin",
            multiple=True,
            environment=False,
        ),
        option(
            "reason",
            click.Choice(_REASONS),
            "Rejected for this; may be given several times.",
            multiple=True,
            environment=False,
        ),
        bootstrap_servers,
        _dlq_topic,
    ):
        decorated = declared(decorated)
    return decorated


@click.group("dlq")
def command() -> None:
    """Look at rejected records, and put them back."""


command.add_command(simulate_command)


@command.command("list")
@_selecting
@option("limit", Whole(1), "Show so many, the newest.", default=50, environment=False)
def list_command(selection: Selection, bootstrap_servers: str, topic: str, limit: int) -> None:
    """List letters: id, when, why, where from, what became of them."""
    servers = reach(bootstrap_servers)
    found = _found(servers, topic, selection, _ledger(servers, topic))
    newest = heapq.nlargest(limit, found, key=lambda pair: (pair[0].failed_at_ms or 0, pair[0].position))
    console().print(show.listing(reversed(newest)))
    if len(newest) == limit:
        click.echo(f"the newest {limit:,}; --limit shows more")


@command.command("stats")
@_selecting
def stats_command(selection: Selection, bootstrap_servers: str, topic: str) -> None:
    """Count letters by reason and topic."""
    servers = reach(bootstrap_servers)
    found = _found(servers, topic, selection, _ledger(servers, topic))
    console().print(show.statistics(found))


@command.command("show")
@click.argument("ids", metavar="ID", nargs=1, callback=lambda c, p, text: _place(c, p, (text,)))
@option("raw", FLAG, "Only the value, byte for byte, as into a file to repair it.")
@bootstrap_servers
@_dlq_topic
def show_command(ids: frozenset[tuple[int, int]], raw: bool, bootstrap_servers: str, topic: str) -> None:
    """Show one letter with all that is known of it. ID is partition:offset."""
    servers = reach(bootstrap_servers)
    ledger = _ledger(servers, topic)
    found = list(_found(servers, topic, Selection(positions=ids), ledger))
    if not found:
        raise ConfigurationError(f"{topic} holds no such letter")
    [(letter, verdict)] = found
    if raw:
        sys.stdout.buffer.write(letter.value or b"")
    else:
        click.echo(show.details(letter, verdict))


@command.command("replay")
@click.argument("ids", metavar="[ID]...", nargs=-1, callback=_place)
@_selecting
@option("value", EXISTING_FILE, "A repaired value, of one ID.", environment=False)
@option("max.retries", Whole(1, 1000), "Then parked.", default=3, variables=("MAX_RETRIES",))
@option("backoff.ms", Duration(), "From one retry of a record to the next; doubles each time.", default=60_000)
@option("dry-run", FLAG, "Say what would be done, and do nothing.")
def replay_command(
    selection: Selection,
    bootstrap_servers: str,
    topic: str,
    value: Path | None,
    max_retries: int,
    backoff_ms: int,
    dry_run: bool,
) -> None:
    """Put letters back into the topic they were read from, each once, with key, value and timestamp as they were.

    Without IDs or options: all that may be. A record that is rejected again is a new letter; it may be replayed after
    the backoff, and is parked after the last retry.
    """
    if value is not None and len(selection.positions) != 1:
        raise ConfigurationError("--value: a repaired value needs exactly one ID")
    policy, now_ms = RetryPolicy(max_retries, backoff_ms), time.time_ns() // 1_000_000
    repaired = read_bytes(value, "--value") if value else None
    servers = reach(bootstrap_servers)
    left: Counter[LetterState] = Counter()

    ledger_topic, parked_topic = topics.of_replays(topic)

    def plan() -> Iterator[Task]:
        for letter, verdict in _found(servers, topic, selection, _ledger(servers, topic), policy):
            task = _task(letter, verdict, parked_topic.name, repaired)
            if task is None:
                left[verdict.state] += 1
            else:
                yield task

    tasks = plan() if dry_run else replay(servers, topic, ledger_topic.name, plan, now_ms)
    done = Counter(_kind(task, now_ms) for task in tasks)
    _report(done, left, "would be " if dry_run else "")


def _task(letter: Letter, verdict: Verdict, parked_topic: str, repaired: bytes | None) -> Task | None:
    if verdict.state is LetterState.EXHAUSTED:
        return Task(letter, Outcome.PARKED, verdict.retries, parked_topic, letter.value)
    if verdict.state is not LetterState.REPLAYABLE or letter.origin is None:
        return None
    value = letter.value if repaired is None else repaired
    return Task(letter, Outcome.REPLAYED, verdict.retries + 1, letter.origin.topic, value)


def _kind(task: Task, now_ms: int) -> str:
    """The result of a replay, as far as it can be predicted."""
    if task.outcome is Outcome.PARKED:
        return "parked"
    outcome = decode_record(task.value, task.letter.kafka_time_ms, DEFAULT_FUTURE_SKEW_MS)
    if isinstance(outcome, Rejection):
        return "rejected again"
    return "late" if outcome.event_time_ms <= now_ms - _BOUND_MS else "on time"


def _report(done: Counter[str], left: Counter[LetterState], would: str) -> None:
    replayed = done.total() - done["parked"]
    click.echo(f"{replayed:,} {would}replayed, {done['parked']:,} {would}parked, {left.total():,} left as they are")
    if done["late"]:
        click.echo(f"{done['late']:,} of the replayed are late where time has gone on: they go to the late topic")
    if done["rejected again"]:
        click.echo(f"{done['rejected again']:,} of the replayed will be rejected again by the rules of this release")
    for state, letters_left in left.items():
        click.echo(f"{letters_left:,} of those left: {state}")


def _ledger(bootstrap_servers: str, topic: str) -> Ledger:
    require_topics(bootstrap_servers, topic)
    needed = topics.of_replays(topic)
    ensure_topics(bootstrap_servers, needed)
    return read_ledger(bootstrap_servers, needed[0].name)


def _found(
    bootstrap_servers: str, topic: str, selection: Selection, ledger: Ledger, policy: RetryPolicy | None = None
) -> Iterator[tuple[Letter, Verdict]]:
    now_ms = time.time_ns() // 1_000_000
    for letter in letters(bootstrap_servers, topic):
        if selection.wants(letter):
            yield letter, decide(letter, ledger, policy or RetryPolicy(), now_ms)
