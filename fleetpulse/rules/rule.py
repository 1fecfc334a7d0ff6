"""The base classes of all kinds of rules: their scope, and the methods that the rest of the program calls.

A kind derives from `FollowingRule` if it follows readings, from `ReadingRule` if its alerts come of other rules on
readings, from `SilenceRule` if they come of silence. `fleetpulse.rules.kinds` lists the kinds.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Self

from fleetpulse.records.metrics import UNITS
from fleetpulse.rules.evaluator import Evaluator
from fleetpulse.rules.evidence import Check, Fields
from fleetpulse.rules.levels import CRITICAL, WARNING, LevelChange
from fleetpulse.rules.parts import Part

Fault = tuple[str, str]
"""The path of a field, as in `rules[2].above`, and what is wrong there."""

_SEVERITIES = {WARNING: "warning", CRITICAL: "critical"}


class Scope(Part, frozen=True, kw_only=True):
    """Which devices a rule is for: ids and sites as globs (`*`, `?`, `[a-z]`), any of each. Without sites, all."""

    devices: tuple[str, ...] = ("*",)
    sites: tuple[str, ...] = ()


class BaseRule(Part, frozen=True, kw_only=True, tag_field="kind"):
    """What all rules have."""

    id: str
    scope: Scope = Scope()

    refers_to: ClassVar[tuple[type["BaseRule"], ...]] = ()
    """The kinds of rules that `references` may name."""

    @property
    def kind(self) -> str:
        """The name of the kind, as in a rule file."""
        return str(self.__struct_config__.tag)

    def faults(self, path: str) -> Iterator[Fault]:  # noqa: ARG002
        """The faults in the fields of this kind, beyond their types."""
        return iter(())

    def mistakes(self, path: str) -> Iterator[Fault]:  # noqa: ARG002
        """Rules that can be evaluated but make no sense: refused in files, accepted if published before."""
        return iter(())

    @classmethod
    def warnings(cls, rules: Mapping[str, Self]) -> Iterator[Fault]:  # noqa: ARG003
        """Probable mistakes among all rules of this kind, in their order, by path."""
        return iter(())

    def references(self, path: str) -> Iterator[tuple[str, str]]:  # noqa: ARG002
        """The ids of other rules that this one names, each with the path of its field."""
        return iter(())


class SilenceRule(BaseRule, frozen=True, kw_only=True):
    """A rule on the silence of devices, evaluated at evaluation instants."""


class ReadingRule(BaseRule, frozen=True, kw_only=True):
    """A rule on readings. Its alerts are made of changes of its level."""

    @property
    def metric(self) -> str | None:
        """The metric that its alerts are about; None if it is not one."""
        return None

    @property
    def unit(self) -> str | None:
        """The unit of its alerts' values and limits."""
        return UNITS.get(self.metric or "")

    def metrics(self, path: str) -> Iterator[tuple[str, str]]:
        """The metrics that it needs values of, each with the path of its field."""
        if self.metric is not None:
            yield f"{path}.metric", self.metric

    def severity_at(self, level: int) -> str:
        """The severity of its alerts at a level."""
        severity: str | None = getattr(self, "severity", None)
        return severity or _SEVERITIES[level]

    def describe(self, change: LevelChange) -> str:
        """The summary of an alert that opens or is updated, without the device's name."""
        raise NotImplementedError

    def describe_recovery(self, change: LevelChange) -> str:
        """The summary of an alert that recovers, without the device's name."""
        raise NotImplementedError

    def checks(self, revision: Fields) -> Iterator[Check]:  # noqa: ARG002
        """The checks of a revision that this rule made."""
        return iter(())


class FollowingRule(ReadingRule, frozen=True, kw_only=True):
    """A rule that follows readings itself."""

    def evaluator(self, index: int) -> Evaluator:
        """The evaluator of this rule; `index` is its index in the set."""
        raise NotImplementedError
