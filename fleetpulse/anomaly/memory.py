"""What alarms remember from batch to batch, by rule and device."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from fleetpulse.rules.levels import Run


class Withheld(msgspec.Struct, array_like=True):
    """What a rule that flaps says at present, and does not say aloud."""

    value: float | None
    limit: float | None
    since_ms: int


class OpenAlert(msgspec.Struct, array_like=True):
    """An alert that has not ended. The rest is of flapping: openings so far, the last of them, what is withheld."""

    opened_at_ms: int
    revision: int
    severity: str
    count: int = 0
    last_ms: int = 0
    withheld: Withheld | None = None


class Memory(msgspec.Struct, array_like=True):
    """What is kept between batches, by rule or leaf and then by device number."""

    levels: dict[str, dict[int, int]] = {}
    alerts: dict[str, dict[int, OpenAlert]] = {}
    openings: dict[str, dict[int, list[int]]] = {}
    holding: dict[str, dict[int, Run]] = {}
    known: dict[str, set[int]] = {}
    doubtful: dict[str, set[int]] = {}

    def forget(self, device: int) -> None:
        """Know nothing of a device any more."""
        for kept in (self.levels, self.openings, self.holding, self.alerts):
            for of_rule in kept.values():
                of_rule.pop(device, None)
        for devices in (*self.known.values(), *self.doubtful.values()):
            devices.discard(device)

    def renumber(self, order: Sequence[int]) -> None:
        """Keep the devices in `order` alone, with their places in it as their numbers."""
        places = {device: place for place, device in enumerate(order)}
        for kept in (self.levels, self.openings, self.holding, self.alerts):
            for of_rule in kept.values():
                _renumber(of_rule, places)
        for by_key in (self.known, self.doubtful):
            for key, devices in by_key.items():
                by_key[key] = {places[device] for device in devices if device in places}


@dataclass(frozen=True, slots=True)
class Fleet:
    """What alerts say of devices, by number. Both grow as devices come."""

    names: list[str]
    sites: dict[int, str]


def _renumber(of_rule: dict[int, Any], places: Mapping[int, int]) -> None:
    renumbered = {places[device]: value for device, value in of_rule.items() if device in places}
    of_rule.clear()
    of_rule.update(renumbered)
