"""`fleetpulse backtest`: the alerts that rules would raise over history, and what other rules would change."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import click

from fleetpulse.alerts import Revision
from fleetpulse.backtest import show
from fleetpulse.backtest.changes import changes
from fleetpulse.backtest.options import RuleSource, Source, of_files, of_history
from fleetpulse.backtest.run import Settings, run_history
from fleetpulse.backtest.sources.records import record_of
from fleetpulse.cli.parameters import EXISTING_FILE, INSTANT_FORMS, Instant, Whole
from fleetpulse.cli.settings import FLAG, option
from fleetpulse.cli.tables import console, counted, echo_records
from fleetpulse.errors import ConfigurationError
from fleetpulse.rules.versions import Versions, expecting
from fleetpulse.times import iso

T = TypeVar("T")


@click.command("backtest")
@of_history
@option(
    "from",
    Instant(),
    f"Read from this Kafka timestamp on: {INSTANT_FORMS}.",
    parameter="from_ms",
    environment=False,
)
@option(
    "until",
    Instant(),
    f"Decide up to this instant and nothing after it: {INSTANT_FORMS}.  [default: all that is there]",
    parameter="until_ms",
    environment=False,
)
@option(
    "diff",
    EXISTING_FILE,
    "Compare two rule files instead: alerts gained and lost.",
    nargs=2,
    metavar="OLD NEW",
    environment=False,
)
@option("limit", Whole(0), "Show so many, the newest.", default=20, environment=False)
@option("json", FLAG, "As JSON lines: all alert records, without `detected_at`.", parameter="as_json")
def command(
    source: Source,
    settings: Settings,
    rules: RuleSource,
    from_ms: int | None,
    until_ms: int | None,
    diff: tuple[Path, Path] | None,
    limit: int,
    as_json: bool,
) -> None:
    """Run rules over past records with the jobs' code; needs no Flink and sends no alert."""
    if from_ms is not None and until_ms is not None and from_ms > until_ms:
        raise ConfigurationError(f"--from: {iso(from_ms)} is after --until {iso(until_ms)}")
    books = [expecting(book, from_ms) for book in (map(of_files, diff) if diff else [_versions(rules, source)])]
    begun = time.monotonic()
    judged = run_history(source.streams(from_ms), settings, books, until_ms)
    decided = judged.read.accepted > 0 or any(judged.revisions)  # `never_seen` decides on devices without records
    click.echo(show.read(judged.read, time.monotonic() - begun, decided=decided), err=as_json)
    if not judged.read.accepted:
        click.echo(show.why_nothing(judged.read), err=True)
    if diff:
        before, after = judged.revisions
        _tell_changes(before, after, limit, as_json)
    elif as_json:
        echo_records(map(record_of, judged.revisions[0]))
    else:
        [revisions] = judged.revisions
        console().print(show.counts(revisions))
        _tell_newest(limit, len(revisions))
        console().print(show.listing(_newest(revisions, limit)))


def _versions(rules: RuleSource, source: Source) -> Versions:
    """The rules to judge by. History in files needs no broker, so there the topic counts only where it is named."""
    if rules.is_named or not source.is_in_files:
        return rules.versions(source)
    click.echo("no --rules is given: silence alone is judged", err=True)
    return ()


def _tell_changes(before: Sequence[Revision], after: Sequence[Revision], limit: int, as_json: bool) -> None:
    found = changes(before, after)
    told = list(found.told())
    if as_json:
        echo_records(b'{"change":"%s",%s' % (what.encode(), record_of(revision)[1:]) for what, revision in told)
        return
    click.echo(f"{counted(len(found.gained), 'alert')} gained, {len(found.lost):,} lost, {found.kept:,} in both")
    console().print(show.change_counts(found))
    _tell_newest(limit, len(told))
    console().print(show.change_listing(_newest(told, limit)))


def _newest(found: Sequence[T], limit: int) -> Sequence[T]:
    return found[max(0, len(found) - limit) :]


def _tell_newest(limit: int, count: int) -> None:
    if limit < count:
        click.echo(f"the newest {limit:,} of {count:,}; --limit shows more")
