"""The results of a backtest as text."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.table import Table

from fleetpulse.alerts import Revision
from fleetpulse.backtest.changes import Changes
from fleetpulse.backtest.run import Read
from fleetpulse.cli.tables import cell, counted
from fleetpulse.times import iso


def read(found: Read, seconds: float, *, decided: bool) -> str:
    """One line on the records that were read, and up to when they were decided."""
    late = f"{found.late:,} late" + (f" of {counted(len(found.late_devices), 'device')}" if found.late else "")
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in found.reasons.most_common())
    rejected = f"{found.rejected:,} rejected" + (f" ({reasons})" if reasons else "")
    until = f"decided up to {iso(found.decided_until_ms)}" if decided else "nothing was decided"
    return f"{counted(found.records, 'record')} in {seconds:.1f} s, {rejected}, {late}; {until}"


def why_nothing(found: Read) -> str:
    """Why no record was evaluated, as a warning."""
    if not found.records:
        return "warning: no record was read"
    rejected = "the only record was" if found.records == 1 else f"all {found.records:,} records were"
    return f"warning: {rejected} rejected; nothing was evaluated"


def counts(revisions: Iterable[Revision]) -> Table:
    """How many revisions, by rule, severity and state."""
    table = Table("rule", "severity", "state", "revisions", box=None)
    for key, count in sorted(Counter((r.rule_id, r.severity, str(r.state)) for r in revisions).items()):
        table.add_row(*map(cell, key), f"{count:,}")
    return table


def listing(revisions: Iterable[Revision]) -> Table:
    """One line a revision."""
    table = Table("changed at", "state", "severity", "rule", "summary", box=None)
    for r in revisions:
        table.add_row(*map(cell, (iso(r.changed_at_ms), r.state, r.severity, r.rule_id, r.summary)))
    return table


def change_counts(found: Changes) -> Table:
    """How many alerts were gained and lost, by rule."""
    gained, lost = (Counter(r.rule_id for r in revisions) for revisions in found[:2])
    table = Table("rule", "gained", "lost", box=None)
    for rule_id in sorted(gained | lost):
        table.add_row(cell(rule_id), f"{gained[rule_id]:,}", f"{lost[rule_id]:,}")
    return table


def change_listing(found: Sequence[tuple[str, Revision]]) -> Table:
    """One line a change."""
    table = Table("opened at", "", "severity", "rule", "summary", box=None)
    for what, r in found:
        table.add_row(iso(r.opened_at_ms), what, *map(cell, (r.severity, r.rule_id, r.summary)))
    return table
