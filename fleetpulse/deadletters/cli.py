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
from fleetpulse.cli.parameters import Instant, bootstrap_servers, topic_name
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
from fleetpulse.errors import ConfigurationError, FleetpulseError
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.records.reading import Rejection, decode_record
from fleetpulse.records.reasons import Reason

_BOUND_MS = 2_000  # the jobs' own defaults, to tell what will be late or rejected again
_SKEW_MS = 60_000
_REASONS = [reason.value for reason in Reason]

_dlq_topic = click.option(
    "--dlq.topic",
    "topic",
    callback=topic_name,
    default=topics.DEAD_LETTERS.name,
    show_default=True,
    envvar="DLQ_TOPIC",
    help="Topic of dead letters; its ledger is <topic>.ledger, what is given up goes to <topic>.parked.",
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
    """The options that say which letters are meant, as one argument `selection`."""

    @wraps(command)  # and with it the options that stand below
    def select(
        reason: tuple[str, ...], origin: tuple[str, ...], since: int | None, until: int | None, **rest: Any
    ) -> Any:
        positions = rest.pop("ids", frozenset())
        return command(selection=Selection(frozenset(reason), frozenset(origin), since, until, positions), **rest)

    for option in (
        click.option("--until", type=Instant(), help="Rejected before this: epoch ms or ISO 8601."),
        click.option("--since", type=Instant(), help="Rejected at this instant or later: epoch ms or ISO 8601."),
        click.option("--topic", "origin", multiple=True, help="Read from this topic; may be given several times."),
        click.option(
            "--reason",
            type=click.Choice(_REASONS),
            multiple=True,
            help="Rejected for this; also several.",
        ),
        bootstrap_servers,
        _dlq_topic,
    ):
        select = option(select)
    return select


@click.group("dlq")
def command() -> None:
    """Look at rejected records, and put them back."""


command.add_command(simulate_command)


@command.command("list")
@_selecting
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Show so many, the newest.")
def list_command(selection: Selection, bootstrap_servers: str, topic: str, limit: int) -> None:
    """List letters: id, when, why, where from, what became of them."""
    found = _found(bootstrap_servers, topic, selection, _ledger(bootstrap_servers, topic))
    newest = heapq.nlargest(limit, found, key=lambda pair: (pair[0].failed_at_ms or 0, pair[0].position))
    console().print(show.listing(reversed(newest)))
    if len(newest) == limit:
        click.echo(f"the newest {limit:,}; --limit shows more")


@command.command("stats")
@_selecting
def stats_command(selection: Selection, bootstrap_servers: str, topic: str) -> None:
    """Count letters by reason and topic."""
    found = _found(bootstrap_servers, topic, selection, _ledger(bootstrap_servers, topic))
    console().print(show.statistics(found))


@command.command("show")
@click.argument("ids", metavar="ID", nargs=1, callback=lambda c, p, text: _place(c, p, (text,)))
@click.option("--raw", is_flag=True, help="Only the value, byte for byte, as into a file to repair it.")
@bootstrap_servers
@_dlq_topic
def show_command(ids: frozenset[tuple[int, int]], raw: bool, bootstrap_servers: str, topic: str) -> None:
    """Show one letter with all that is known of it. ID is partition:offset."""
    ledger = _ledger(bootstrap_servers, topic)
    found = list(_found(bootstrap_servers, topic, Selection(positions=ids), ledger))
    if not found:
        raise FleetpulseError(f"{topic} holds no such letter")
    [(letter, verdict)] = found
    if raw:
        sys.stdout.buffer.write(letter.value or b"")
    else:
        click.echo(show.details(letter, verdict))


@command.command("replay")
@click.argument("ids", metavar="[ID]...", nargs=-1, callback=_place)
@_selecting
@click.option(
    "--value", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A repaired value, of one ID."
)
@click.option(
    "--max.retries",
    "max_retries",
    envvar="MAX_RETRIES",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Then parked.",
)
@click.option(
    "--backoff.ms",
    "backoff_ms",
    type=click.IntRange(0),
    default=60_000,
    show_default=True,
    help="From one retry of a record to the next; doubles each time.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
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
    repaired = value.read_bytes() if value else None
    left: Counter[LetterState] = Counter()

    ledger_topic, parked_topic = topics.of_replays(topic)

    def plan() -> Iterator[Task]:
        for letter, verdict in _found(bootstrap_servers, topic, selection, _ledger(bootstrap_servers, topic), policy):
            task = _task(letter, verdict, parked_topic.name, repaired)
            if task is None:
                left[verdict.state] += 1
            else:
                yield task

    tasks = plan() if dry_run else replay(bootstrap_servers, topic, ledger_topic.name, plan, now_ms)
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
    """What a replay leads to, as far as can be told here."""
    if task.outcome is Outcome.PARKED:
        return "parked"
    outcome = decode_record(task.value, task.letter.kafka_time_ms, _SKEW_MS)
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
