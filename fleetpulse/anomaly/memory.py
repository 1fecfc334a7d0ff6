"""The state of alerts between batches, by rule and device."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from fleetpulse.rules.levels import Run


class Suppressed(msgspec.Struct, array_like=True):
    """The alert of a rule that flaps, as it would have been sent."""

    value: float | None
    limit: float | None
    since_ms: int
    began: tuple[int, float] | None = None


class OpenAlert(msgspec.Struct, array_like=True):
    """An alert that has not ended. The rest is of flapping: openings so far, the last of them, what is suppressed."""

    opened_at_ms: int
    revision: int
    severity: str
    count: int = 0
    last_ms: int = 0
    suppressed: Suppressed | None = None


class Memory(msgspec.Struct, array_like=True):
    """The state between batches, by rule or leaf and then by device number."""

    levels: dict[str, dict[int, int]] = {}
    alerts: dict[str, dict[int, OpenAlert]] = {}
    openings: dict[str, dict[int, list[int]]] = {}
    holding: dict[str, dict[int, Run]] = {}
    known: dict[str, set[int]] = {}
    to_reevaluate: dict[str, set[int]] = {}

    def alerts_of(self, rule_id: str) -> dict[int, OpenAlert]:
        """The open alerts of a rule, by device."""
        return self.alerts.setdefault(rule_id, {})

    def forget(self, device: int) -> None:
        """Know nothing of a device any more."""
        for kept in (self.levels, self.openings, self.holding, self.alerts):
            for of_rule in kept.values():
                of_rule.pop(device, None)
        for devices in (*self.known.values(), *self.to_reevaluate.values()):
            devices.discard(device)

    def renumber(self, order: Sequence[int]) -> None:
        """Keep the devices in `order` alone, with their indices in it as their numbers."""
        indices = {device: index for index, device in enumerate(order)}
        for kept in (self.levels, self.openings, self.holding, self.alerts):
            for of_rule in kept.values():
                _renumber(of_rule, indices)
        for by_key in (self.known, self.to_reevaluate):
            for key, devices in by_key.items():
                by_key[key] = {indices[device] for device in devices if device in indices}


@dataclass(frozen=True, slots=True)
class Fleet:
    """Names and sites of devices, by number. Both grow as devices come."""

    names: list[str]
    sites: dict[int, str]


def _renumber(of_rule: dict[int, Any], indices: Mapping[int, int]) -> None:
    renumbered = {indices[device]: value for device, value in of_rule.items() if device in indices}
    of_rule.clear()
    of_rule.update(renumbered)
