"""What must hold of any alerts, whatever the fleet did."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise

from tests.e2e.support.jobs import Revision, is_of_clock

_NEVER = datetime.max.replace(tzinfo=UTC)


def check_lifecycles(alerts: Iterable[Revision]) -> None:
    """No revision stands there twice, none is missing, and no device has two silences or two wrong clocks at a time."""
    spans: dict[tuple[str, bool], list[tuple[datetime, datetime]]] = defaultdict(list)
    for revisions in _by_alert(alerts):
        assert [r.revision for r in revisions] == list(range(1, len(revisions) + 1)), revisions
        opened, *ended = revisions
        span = opened.opened_at, ended[-1].changed_at if ended else _NEVER
        spans[opened.device_id, is_of_clock(opened)].append(span)
    for (device_id, of_clock), of_device in spans.items():
        for (_, end), (begin, _) in pairwise(sorted(of_device)):
            assert end <= begin, f"{device_id} has an alert until {end} and another from {begin}, clock: {of_clock}"


def open_at(alerts: Iterable[Revision], end: datetime) -> list[Revision]:
    """The alerts that are open at an instant."""
    until_then = ([r for r in revisions if r.changed_at <= end] for revisions in _by_alert(alerts))
    return [revisions[0] for revisions in until_then if len(revisions) == 1]


def _by_alert(alerts: Iterable[Revision]) -> Iterable[list[Revision]]:
    by_alert: dict[str, list[Revision]] = defaultdict(list)
    for alert in sorted(alerts):
        by_alert[alert.alert_id].append(alert)
    return by_alert.values()
