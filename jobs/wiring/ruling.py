"""The rules a job begins with: all versions on the rules topic, or a file's where the topic is still empty."""

import time
from pathlib import Path

from fleetpulse.errors import ConfigurationError
from fleetpulse.rulefiles.files import load
from fleetpulse.rulefiles.topic import Book, publish, read_book
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.versions import Version, Versions


def first_rules(file: Path | None) -> RuleSet | None:
    """The rules of a file; None without one.

    Raises:
        RuleFileError: the file holds no rules.
    """
    return None if file is None else load(file)


def rule_versions(bootstrap_servers: str, topic: str, first: RuleSet | None) -> Versions:
    """All versions that are known now. A first version that the job publishes applies from the beginning of time.

    Raises:
        ConfigurationError: there are rules already, and others than `first`.
    """
    if first is not None:
        publish(bootstrap_servers, topic, lambda book: _first_version(book, topic, first))
    return read_book(bootstrap_servers, topic).versions


def _first_version(book: Book, topic: str, rules: RuleSet) -> Version | None:
    if not book.versions:
        return Version(book.next_number, 0, rules, expects_from_ms=time.time_ns() // 1_000_000)
    latest = book.versions[-1]
    if latest.rules != rules:
        raise ConfigurationError(
            f"--rules: topic {topic!r} holds other rules already, version {latest.version}: leave --rules out to judge"
            " by them, or change them with `fleetpulse rules apply`"
        )
    return None
