"""`inactivity`: how long devices of a class may be silent."""

from collections.abc import Iterator, Mapping
from typing import Self

from fleetpulse.alerts import AlertState
from fleetpulse.durations import DurationMs
from fleetpulse.numbers import exact, number, seconds
from fleetpulse.rules.evidence import Check, Fields
from fleetpulse.rules.faults import covers, longest_literal, not_positive
from fleetpulse.rules.parts import Severity
from fleetpulse.rules.rule import Fault, SilenceRule
from fleetpulse.times import iso, to_epoch_ms


class Inactivity(SilenceRule, frozen=True, kw_only=True, tag="inactivity"):
    """The timeout of a class of devices. Of several rules for a device the first counts."""

    timeout: DurationMs
    severity: Severity = "critical"

    def faults(self, path: str) -> Iterator[Fault]:
        """What is wrong with its timeout."""
        yield from not_positive(f"{path}.timeout", self.timeout)

    @classmethod
    def warnings(cls, rules: Mapping[str, Self]) -> Iterator[Fault]:
        """Rules that no device is left for by the rules before them."""
        taken: list[tuple[str, str, str]] = []  # the longest literal, which rules most out, the glob, the rule's id
        for path, rule in rules.items():
            globs = rule.scope.devices
            by = [next((i for text, one, i in taken if text in glob and covers(one, glob)), None) for glob in globs]
            if None not in by:
                yield path, f"has no effect: of several rules for a device the first counts, and {by[0]!r} comes first"
            taken += [(longest_literal(glob), glob, rule.id) for glob in globs]


_ENDS = {
    AlertState.RECOVERED: "{device} is back: it spoke again at {at} after {silent} of silence.",
    AlertState.CANCELLED: "{device} had not been silent: a record from {at} arrived late.",
    AlertState.EXPIRED: "{device} has been silent since {at} and is no longer watched.",
}


def describe_silence(device_id: str, silent_s: float, timeout_s: float, last_seen: str) -> str:
    """The summary of an alert that opens."""
    return f"{device_id} has been silent for {seconds(silent_s, beside=[timeout_s])}: it was last seen at {last_seen}."


def describe_end(device_id: str, state: AlertState, silent_s: float, timeout_s: float, seen_at: str) -> str:
    """The summary of an alert on silence that ends, of this kind or `never_seen`."""
    return _ENDS[state].format(device=device_id, at=seen_at, silent=seconds(silent_s, beside=[timeout_s]))


def silence_checks(revision: Fields) -> Iterator[Check]:
    """What must be so of a revision on silence, by whichever rule, or by the job's own timeout."""
    evidence, opened_at_ms = revision["evidence"], to_epoch_ms(revision["opened_at"])
    silent_ms, limit_s = opened_at_ms - evidence["latest_event_time_ms"], revision["limit"]
    silent = number(silent_ms / 1000, "s", beside=[limit_s])
    yield Check(
        f"at {revision['opened_at']} it had been silent for {silent}, more than {exact(limit_s)} s",
        silent_ms > limit_s * 1000 and silent_ms == evidence["silent_ms"] == round(revision["value"] * 1000),
    )
    seen_at_ms = evidence.get("seen_at_ms")
    if revision["state"] == AlertState.RECOVERED:
        yield Check(
            f"it spoke at {revision['changed_at']}, not before the alert was opened",
            seen_at_ms == to_epoch_ms(revision["changed_at"]) and seen_at_ms >= opened_at_ms,
        )
    elif revision["state"] == AlertState.CANCELLED and seen_at_ms is not None:
        yield Check(f"it had spoken at {iso(seen_at_ms)}, before the alert was opened", seen_at_ms < opened_at_ms)
