"""What other rules would have changed: alerts gained and lost, by rule, device and when they were opened."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fleetpulse.alerts import AlertState, Revision
from fleetpulse.backtest.run import in_order


class Changes(NamedTuple):
    """Opening revisions that only one of two runs has, and how many both have."""

    gained: list[Revision]
    lost: list[Revision]
    kept: int

    def told(self) -> Iterator[tuple[str, Revision]]:
        """All changes in order of time, each with `gained` or `lost`."""
        lost = {revision.alert_id for revision in self.lost}
        for revision in in_order([*self.gained, *self.lost]):
            yield "lost" if revision.alert_id in lost else "gained", revision


def changes(before: Sequence[Revision], after: Sequence[Revision]) -> Changes:
    """Compare the alerts of two runs over the same history."""
    old, new = ({r.alert_id: r for r in revisions if r.state is AlertState.OPEN} for revisions in (before, after))
    gained = [revision for alert_id, revision in new.items() if alert_id not in old]
    lost = [revision for alert_id, revision in old.items() if alert_id not in new]
    return Changes(gained, lost, len(old) - len(lost))
