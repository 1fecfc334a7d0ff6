"""Flapping rules at work: the alerts they count, and those they suppress."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from fleetpulse.anomaly.memory import Memory, OpenAlert, Suppressed
from fleetpulse.rules.kinds.flapping import Flapping
from fleetpulse.rules.levels import NONE, LevelChange


class FlappingTracker:
    """The flapping of one set of rules.

    Args:
        rules: those of kind flapping.
        keys: ids of rules by their index in the set.
        applies: whether a rule is for a device.
        memory: from batches and versions before; not replaced during this object's life.
    """

    def __init__(
        self, rules: Iterable[Flapping], keys: Sequence[str], applies: Callable[[str, int], bool], memory: Memory
    ) -> None:
        self._rules, self._keys, self._applies, self._memory = list(rules), keys, applies, memory

    @property
    def devices(self) -> Iterator[Iterable[int]]:
        """Devices for which some rule's alert is open."""
        return (self._memory.alerts_of(flap.id) for flap in self._rules)

    def is_open(self, device: int) -> bool:
        """Whether some rule flaps for a device."""
        return any(device in self._memory.alerts_of(flap.id) for flap in self._rules)

    def is_open_for(self, rule_id: str, device: int) -> bool:
        """Whether this rule flaps for a device."""
        return any(device in self._memory.alerts_of(flap.id) for flap in self._rules if flap.rule == rule_id)

    def suppress(self, rule_id: str, change: LevelChange, before: int) -> bool:
        """Count a change of a rule that flaps instead of sending it. Returns whether the rule flaps."""
        flapping = [alert for flap in self._on(rule_id, change.device) if (alert := self._alert(flap, change.device))]
        for alert in flapping:
            alert.suppressed = _suppressed(change) if change.level else None
            if change.level and not before:
                alert.count, alert.last_ms = alert.count + 1, change.time_ms
        return bool(flapping)

    def count_opening(self, rule_id: str, change: LevelChange) -> Iterator[tuple[Flapping, LevelChange]]:
        """Count an alert that opens. Yields the rules of which that is one too many, and the change for their alert."""
        for flap in self._on(rule_id, change.device):
            openings = self._memory.openings.setdefault(flap.id, {})
            recent = [at for at in openings.pop(change.device, ()) if change.time_ms - at <= flap.within]
            recent.append(change.time_ms)
            if len(recent) < flap.opens:
                openings[change.device] = recent
            else:
                count, opens = float(len(recent)), float(flap.opens)
                yield flap, change._replace(value=count, limit=opens, since_ms=recent[0], recent=(), began=None)

    def calmed(self, row: int, device: int, time_ms: int) -> Iterator[tuple[Flapping, LevelChange, LevelChange | None]]:
        """The rules that have not opened for long enough at a row of a device.

        Each with the change that ends its alert, and the change that it suppressed, if there is one.
        """
        for flap in self._rules:
            alert = self._alert(flap, device)
            if alert is None or time_ms - alert.last_ms <= flap.within:
                continue
            number, count, opens = self._keys.index(flap.rule), float(alert.count), float(flap.opens)
            end = LevelChange(row, number, device, time_ms, NONE, count, opens, alert.last_ms)
            yield flap, end, _suppressed_change(end, alert.suppressed) if alert.suppressed else None

    def suppressed_by(self, flap_id: str) -> dict[int, Suppressed]:
        """The alerts that a rule suppresses at present, by device."""
        alerts = self._memory.alerts_of(flap_id)
        return {device: alert.suppressed for device, alert in alerts.items() if alert.suppressed}

    def released(self, rule_id: str, suppressed: Mapping[int, Suppressed], at_ms: int) -> Iterator[LevelChange]:
        """The changes that removed flapping rules suppressed."""
        number = self._keys.index(rule_id)
        for device, held in suppressed.items():
            yield _suppressed_change(LevelChange(0, number, device, at_ms, NONE, None, None, at_ms), held)

    def _on(self, rule_id: str, device: int) -> list[Flapping]:
        return [flap for flap in self._rules if flap.rule == rule_id and self._applies(flap.id, device)]

    def _alert(self, flap: Flapping, device: int) -> OpenAlert | None:
        return self._memory.alerts_of(flap.id).get(device)


def _suppressed(change: LevelChange) -> Suppressed:
    return Suppressed(change.value, change.limit, change.since_ms, change.began)


def _suppressed_change(at: LevelChange, held: Suppressed) -> LevelChange:
    return at._replace(value=held.value, limit=held.limit, since_ms=held.since_ms, began=held.began)
