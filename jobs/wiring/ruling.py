"""The rules a job begins with: all versions on the rules topic, after its own file has become one of them."""

import time
from pathlib import Path

import click

from fleetpulse.rulefiles.difference import difference
from fleetpulse.rulefiles.files import load_with_warnings
from fleetpulse.rulefiles.show import warned
from fleetpulse.rulefiles.topic import Book, acknowledged_too_late, publish, read_book
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.versions import USUAL_NOTICE_MS, Version, Versions, in_force
from fleetpulse.times import iso


def given_rules(file: Path | None) -> RuleSet | None:
    """The rules of a file, whose warnings are printed; None without one.

    Raises:
        RuleFileError: the file holds no rules.
    """
    return None if file is None else warned(load_with_warnings(file))


def rule_versions(bootstrap_servers: str, topic: str, given: RuleSet | None) -> Versions:
    """All versions on the topic, after the rules of `--rules` were published if they have changed."""
    if given is not None:
        version = publish(bootstrap_servers, topic, lambda book: _reported(book, topic, given), submitted=True)
        if version and (too_late := acknowledged_too_late(version, _now_ms())):
            click.echo(f"rules: {too_late}", err=True)
    return read_book(bootstrap_servers, topic).versions


def next_version(book: Book, rules: RuleSet, now_ms: int) -> Version | None:
    """The version that `--rules` makes at a submission; None if these rules are in force or were submitted last.

    The first one applies from the beginning of time. If the file is as it was at the last submission, versions that
    `fleetpulse rules apply` has published since stay in force.
    """
    if not book.versions:
        return Version(book.next_number, 0, rules, expects_from_ms=now_ms)
    from_ms = now_ms + USUAL_NOTICE_MS
    current = in_force(book.versions, from_ms)
    if rules in [version.rules for version in (current, book.submitted) if version]:
        return None
    return Version(book.next_number, from_ms, rules)


def report(book: Book, topic: str, version: Version | None, now_ms: int) -> str | None:
    """What became of `--rules`, as a line; None if the topic was empty or its newest rules are these."""
    current = in_force(book.versions, now_ms + USUAL_NOTICE_MS)
    if version is None:
        if current is None or book.submitted is None or current.rules == book.submitted.rules:
            return None
        return (
            f"rules: --rules is as it was submitted last, version {book.submitted.version}; "
            f"version {current.version}, applied to {topic!r} since then, stays in force"
        )
    if not book.versions:
        return None
    changes = difference(current.rules if current else RuleSet(()), version.rules).summary()
    return (
        f"rules: --rules becomes version {version.version} on {topic!r}, for all jobs that read this topic, "
        f"and takes effect at {iso(version.effective_from_ms)} ({changes})"
    )


def _reported(book: Book, topic: str, rules: RuleSet) -> Version | None:
    now_ms = _now_ms()
    version = next_version(book, rules, now_ms)
    if line := report(book, topic, version, now_ms):
        click.echo(line, err=True)
    return version


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
