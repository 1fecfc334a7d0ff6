"""The topics of a demo: its own, so that its records reach neither an earlier demo nor your jobs."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from fleetpulse.topics import AGGREGATES, ALERTS, DEAD_LETTERS, EVENTS, LATE, RULES, Topic, ticks

_ALERTS = re.compile(r"(demo-\d{8}-\d{6})\.alerts")


@dataclass(frozen=True)
class DemoTopics:
    """The topics of the demo of this name."""

    demo: str

    @classmethod
    def begun(cls, at: datetime) -> Self:
        """Those of a demo that begins now."""
        return cls(f"demo-{at:%Y%m%d-%H%M%S}")

    @property
    def events(self) -> Topic:
        """What the simulator sends."""
        return replace(EVENTS, name=f"{self.demo}.events")

    @property
    def alerts(self) -> Topic:
        """Alerts."""
        return replace(ALERTS, name=f"{self.demo}.alerts")

    @property
    def late(self) -> Topic:
        """Late records."""
        return replace(LATE, name=f"{self.demo}.late")

    @property
    def dead_letters(self) -> Topic:
        """Rejected records."""
        return replace(DEAD_LETTERS, name=f"{self.demo}.dlq")

    @property
    def ticks(self) -> Topic:
        """The clock of the job."""
        return replace(ticks("monitor"), name=f"{self.demo}.ticks")

    @property
    def rules(self) -> Topic:
        """The versions of the rules."""
        return replace(RULES, name=f"{self.demo}.rules")

    @property
    def aggregates(self) -> Topic:
        """Windows."""
        return replace(AGGREGATES, name=f"{self.demo}.aggregates")

    @property
    def all(self) -> list[Topic]:
        """All of them."""
        return [self.events, self.alerts, self.late, self.dead_letters, self.ticks, self.rules, self.aggregates]


def demos(topics: Iterable[str]) -> list[str]:
    """The names of the demos that have left their topics."""
    return sorted(found[1] for topic in topics if (found := _ALERTS.fullmatch(topic)))
