"""`flapping`: another rule's alerts that open too often."""

from collections.abc import Iterator

from fleetpulse.alerts import AlertState
from fleetpulse.durations import DurationMs
from fleetpulse.numbers import exact
from fleetpulse.rules.evidence import Check, Fields
from fleetpulse.rules.faults import MOST, not_positive
from fleetpulse.rules.kinds.condition import Condition
from fleetpulse.rules.levels import LevelChange
from fleetpulse.rules.parts import Severity
from fleetpulse.rules.rule import Fault, FollowingRule, ReadingRule
from fleetpulse.rules.sentences import measured


class Flapping(ReadingRule, frozen=True, kw_only=True, tag="flapping"):
    """Another rule's alerts that open too often: they become one alert with a count."""

    rule: str
    opens: int
    within: DurationMs
    severity: Severity = "warning"

    refers_to = (FollowingRule, Condition)

    @property
    def unit(self) -> str:
        """Its values are counts."""
        return "openings"

    def faults(self, path: str) -> Iterator[Fault]:
        """What is wrong with its numbers."""
        yield from not_positive(f"{path}.within", self.within)
        if not 2 <= self.opens <= MOST:
            yield f"{path}.opens", f"{self.opens} is not from 2 to {MOST:,}"

    def references(self, path: str) -> Iterator[tuple[str, str]]:
        """The rule whose alerts it counts."""
        yield f"{path}.rule", self.rule

    def describe(self, change: LevelChange) -> str:
        """How often it opened."""
        return f"{self.rule} opened {measured(change)} times within {self.within}"

    def describe_recovery(self, change: LevelChange) -> str:
        """How often it opened in all."""
        return f"{self.rule} no longer flaps, it opened {measured(change)} times"

    def checks(self, revision: Fields) -> Iterator[Check]:
        """Whether it opened often enough, within the time."""
        if revision["state"] == AlertState.OPEN:
            value, lasted_ms = revision["value"], revision["evidence"]["for_ms"]
            yield Check(f"{exact(value)} openings are at least {self.opens}", value >= self.opens == revision["limit"])
            yield Check(f"they came within {self.within}", lasted_ms <= self.within)
