"""`never_seen`: devices that must report."""

from collections.abc import Iterator

from fleetpulse.durations import DurationMs
from fleetpulse.rules.faults import not_positive
from fleetpulse.rules.parts import Severity
from fleetpulse.rules.rule import Fault, SilenceRule


class NeverSeen(SilenceRule, frozen=True, kw_only=True, tag="never_seen"):
    """Devices that must report within a time after the rules took effect."""

    devices: tuple[str, ...]
    within: DurationMs
    severity: Severity = "critical"

    def faults(self, path: str) -> Iterator[Fault]:
        """What is wrong with its devices and its duration."""
        yield from not_positive(f"{path}.within", self.within)
        if not self.devices or any(not 0 < len(device) <= 128 for device in self.devices):
            yield f"{path}.devices", "expected device ids of 1 to 128 characters, at least one"
