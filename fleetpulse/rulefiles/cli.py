"""`fleetpulse rules`: check files, publish them as versions, and see what is in force."""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from fleetpulse import topics
from fleetpulse.cli.connections import bootstrap_servers
from fleetpulse.cli.parameters import INSTANT_FORMS, Instant, Topics, Whole, topic_option
from fleetpulse.cli.settings import FLAG, option
from fleetpulse.cli.tables import console, counted, echo, echo_records
from fleetpulse.errors import ConfigurationError, FleetpulseError
from fleetpulse.kafka.broker import reach
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.rulefiles import show
from fleetpulse.rulefiles.arriving import in_words, sample
from fleetpulse.rulefiles.difference import difference
from fleetpulse.rulefiles.files import load_with_warnings
from fleetpulse.rulefiles.fixtures import differences, read_fixture
from fleetpulse.rulefiles.topic import Book, acknowledged_too_late, publish, read_book
from fleetpulse.rules.checks import starving
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.versions import NOTICE_MS, USUAL_NOTICE_MS, Version, in_force
from fleetpulse.times import iso
from fleetpulse.topics import Topic

_files = click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
_rules_topic = topic_option(
    "rules.topic", topics.RULES.name, "Topic of rule sets, one record a version.", parameter="topic"
)


def _on_the_topic(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that name the topic of versions."""
    decorated: Callable[..., Any] = _rules_topic(bootstrap_servers(command))
    return decorated


@click.group("rules")
def command() -> None:
    """Check rule files, publish them as versions, and see which is in force."""


@command.command("check")
@_files
@option(
    "topic",
    Topics(),
    "Topics of telemetry, separated by ';': also show what arrives there, and which rules get no values.",
    parameter="telemetry",
    environment=False,
)
@bootstrap_servers
def check_command(files: tuple[Path, ...], telemetry: tuple[str, ...] | None, bootstrap_servers: str) -> int:
    """Print what is wrong with rule files, or what they contain. Several files are one set.

    With --topic, exit code 1 where a rule gets no values.
    """
    loaded = load_with_warnings(files)
    found = None if telemetry is None else sample(reach(bootstrap_servers), telemetry)
    rules = show.warned(loaded)
    console().print(show.rules(rules))
    kinds = Counter(rule.kind for rule in rules.rules)
    click.echo(
        f"{counted(len(rules.rules), 'rule')}: {', '.join(f'{n:,} {kind}' for kind, n in kinds.items()) or 'none'}"
    )
    if found is None:
        return 0
    echo(*in_words(found))
    without = loaded.lines(starving(rules, found.metrics_that_may_come))
    echo(*(f"warning: {line}" for line in without), err=True)
    return 1 if without else 0


@command.command("test")
@_files
def test_command(files: tuple[Path, ...]) -> None:
    """Evaluate the records of fixtures, and print where their alerts differ from those expected."""
    failed = 0
    for file in files:
        fixture = read_fixture(file)
        for line in fixture.warnings:
            echo(f"warning: {line}", err=True)
        different = list(differences(fixture))
        failed += bool(different)
        echo(f"{file}: {'FAILED' if different else f'{len(fixture.expected):,} alerts as expected'}")
        for line in different:
            echo(f"  {line}")
    if failed:
        raise FleetpulseError(f"{failed:,} of {len(files):,} fixtures failed; see above")


@command.command("apply")
@_files
@option(
    "effective.from",
    Instant(),
    f"Event time from which the version is in force: {INSTANT_FORMS}.  [default: in 10 s]",
    parameter="effective_from_ms",
    environment=False,
)
@_on_the_topic
def apply_command(files: tuple[Path, ...], effective_from_ms: int | None, bootstrap_servers: str, topic: str) -> None:
    """Publish rule files as the next version. Several files are one set; it replaces the one before as a whole."""
    rules = show.warned(load_with_warnings(files))
    _effective_from_ms(effective_from_ms)
    servers = reach(bootstrap_servers)
    ensure_topics(servers, [Topic(topic, topics.RULES.partitions, topics.RULES.config)])
    later: list[Version] = []
    changes = ""

    def decide(book: Book) -> Version | None:
        nonlocal changes
        from_ms = _effective_from_ms(effective_from_ms)
        before = in_force(_report_unreadable(book).versions, from_ms)
        if before is not None and before.rules == rules:
            click.echo(f"unchanged: version {before.version}, from {iso(before.effective_from_ms)}, has these rules")
            return None
        later.extend(version for version in book.versions if version.effective_from_ms > from_ms)
        changes = difference(before.rules if before else RuleSet(()), rules).summary()
        return Version(book.next_number, from_ms, rules)

    version = publish(servers, topic, decide)
    if version is None:
        return
    number, from_ms = version.version, version.effective_from_ms
    echo(f"version {number} takes effect at {iso(from_ms)}: {counted(len(rules.rules), 'rule')} ({changes})")
    for other in later:
        click.echo(f"version {other.version} replaces it at {iso(other.effective_from_ms)}")
    if too_late := acknowledged_too_late(version, _now_ms()):
        raise FleetpulseError(too_late)


@command.command("list")
@_on_the_topic
def list_command(bootstrap_servers: str, topic: str) -> None:
    """List versions: when they take effect, what is in force, what changed."""
    book = _book(bootstrap_servers, topic)
    console().print(show.versions(book.versions, _now_ms()))


@command.command("show")
@click.argument("number", metavar="VERSION", type=Whole(1))
@_on_the_topic
def show_command(number: int, bootstrap_servers: str, topic: str) -> None:
    """Show a version as the rule file that would make it."""
    version = _book(bootstrap_servers, topic).numbered(number)
    click.echo(f"# version {number} on {topic}, in force from {iso(version.effective_from_ms)}")
    echo_records(show.as_file(version.rules).encode().splitlines())


@command.command("diff")
@click.argument("files", metavar="[FILE [FILE]]", nargs=-1, type=click.Path(path_type=Path))
@option("versions", Whole(1), "Compare two versions on the topic instead of files.", nargs=2, environment=False)
@option("json", FLAG, "As JSON.", parameter="as_json")
@_on_the_topic
def diff_command(
    files: tuple[Path, ...],
    versions: tuple[int, int] | None,
    as_json: bool,
    bootstrap_servers: str,
    topic: str,
) -> None:
    """Show what differs between two files, what is in force and a file, or two versions."""
    if len(files) not in ((0,) if versions else (1, 2)):
        raise ConfigurationError("expected one file, two files, or --versions and two numbers")
    sets = [show.warned(load_with_warnings((file,))) for file in files]
    if len(sets) < 2:
        book = _book(bootstrap_servers, topic)
        sets = [book.numbered(number).rules for number in versions or ()] or [_in_force(book), *sets]
    before, after = sets
    found = difference(before, after)
    if as_json:
        echo_records([json.dumps(found.as_document(), ensure_ascii=False).encode()])
    else:
        echo(*([*found.lines()] or ["no difference"]))


def _effective_from_ms(given_ms: int | None) -> int:
    """The instant given, or one soon, if every shard can have the version in time.

    No watermark ever passes the present. So a version that is published before its instant reaches all shards before
    any of them has decided a reading from then. One published later would be used in some shards only for readings
    that others have decided already, and a replay would decide otherwise.
    """
    now_ms = _now_ms()
    if given_ms is not None and given_ms < now_ms + NOTICE_MS:
        raise ConfigurationError(
            f"--effective.from: {iso(given_ms)} is not at least {NOTICE_MS // 1000} s ahead of now, {iso(now_ms)}"
        )
    return now_ms + USUAL_NOTICE_MS if given_ms is None else given_ms


def _book(bootstrap_servers: str, topic: str) -> Book:
    return _report_unreadable(read_book(reach(bootstrap_servers), topic))


def _report_unreadable(book: Book) -> Book:
    for line in book.unreadable:
        echo(line, err=True)
    return book


def _in_force(book: Book) -> RuleSet:
    version = in_force(book.versions, _now_ms())
    return version.rules if version else RuleSet(())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
