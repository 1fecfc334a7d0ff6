"""`never_seen`: devices that must report."""

import re
from collections.abc import Iterator, Mapping
from typing import Self

from fleetpulse.durations import DurationMs
from fleetpulse.numbers import exact, seconds
from fleetpulse.records.dialects import is_name
from fleetpulse.rules.faults import not_positive
from fleetpulse.rules.parts import Severity
from fleetpulse.rules.rule import Fault, SilenceRule

_MOST_CHARACTERS = 128


class NeverSeen(SilenceRule, frozen=True, kw_only=True, tag="never_seen"):
    """Devices that must report within a time after the rules took effect."""

    devices: tuple[str, ...]
    within: DurationMs
    severity: Severity = "critical"

    def faults(self, path: str) -> Iterator[Fault]:
        """What is wrong with its devices and its duration."""
        yield from not_positive(f"{path}.within", self.within)
        if not self.devices or any(not 0 < len(device) <= _MOST_CHARACTERS for device in self.devices):
            yield f"{path}.devices", f"expected device ids of 1 to {_MOST_CHARACTERS} characters, at least one"

    def mistakes(self, path: str) -> Iterator[Fault]:
        """Globs, and names that no device can have."""
        for index, device in enumerate(self.devices):
            if "*" in device or "?" in device:
                yield f"{path}.devices[{index}]", f"{device!r} is a glob; expected the id of one device"
            elif 0 < len(device) <= _MOST_CHARACTERS and not is_name(device):
                yield f"{path}.devices[{index}]", f"{device!r} has control characters, which no id has"

    @classmethod
    def warnings(cls, rules: Mapping[str, Self]) -> Iterator[Fault]:
        """Ids that look like globs, and rules that no device is left for by the rules before them."""
        taken: dict[str, str] = {}
        for path, rule in rules.items():
            for index, device in enumerate(rule.devices):
                if re.search(r"\[.+\]", device):
                    yield f"{path}.devices[{index}]", f"{device!r} is taken as the id of one device, not as a glob"
            if all(device in taken for device in rule.devices):
                by = taken[rule.devices[0]]
                yield path, f"has no effect: of several rules for a device the first counts, and {by!r} comes first"
            for device in rule.devices:
                taken.setdefault(device, rule.id)


def describe_absence(device_id: str, silent_s: float, within_s: float, expected_from: str) -> str:
    """The summary of an alert that opens; those that end have the summary of `inactivity`."""
    expected = f"it was to report within {exact(within_s)} s from {expected_from} on"
    return f"{device_id} has never been heard: {expected}, and {seconds(silent_s, beside=[within_s])} have passed."
