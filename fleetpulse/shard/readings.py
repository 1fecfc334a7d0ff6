"""The decisions on the readings of one shard: anomalies and windows, from one backlog.

State is the backlog, and now and then a snapshot of the anomaly watch. What was decided after the snapshot is decided
again after a restore, from the readings that are still there, and its outcome, which has left already, is dropped: a
decision depends on nothing but readings, rules and time.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fleetpulse.alerts import Revision
from fleetpulse.anomaly.watch import AnomalyWatch
from fleetpulse.durations import DAY_MS
from fleetpulse.frames.frame import Readings
from fleetpulse.rules.versions import Versions
from fleetpulse.shard.backlog import Backlog
from fleetpulse.shard.entries import Arrived, LastHeard
from fleetpulse.shard.log import RestoredReadings, ShardLog
from fleetpulse.windows.tumbling import Aggregate, WindowPolicy, WindowWatch

_SNAPSHOT_ABOVE_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class ReadingPolicy:
    """The decisions on readings: whether rules apply, and the windows, if any."""

    evaluate_rules: bool = False
    windows: WindowPolicy | None = None
    forget_after_ms: int = 7 * DAY_MS


class ReadingWatch:
    """The readings of one shard, and the decisions on them.

    Args:
        policy: what is decided.
        log: where all is written that must survive.
        kept: what was written before.
        versions: of the rules, as they were known when it was written.
        decided_until_ms: the shard's clock.
    """

    def __init__(
        self, policy: ReadingPolicy, log: ShardLog, kept: RestoredReadings, versions: Versions, decided_until_ms: int
    ) -> None:
        self._log = log
        self._decided_until_ms = decided_until_ms
        self._backlog = Backlog()
        for key, (readings, size_bytes) in kept.arrived.items():
            self._backlog.add(key, size_bytes, readings)
        self._snapshot_key: int | None
        self._coarse_key: int | None
        self._snapshot_key, snapshot, self._snapshot_bytes = kept.snapshot or (None, None, 0)
        self._snapshot_is_due = False
        self._heard_key: int | None
        self._heard_key, heard = kept.heard or (None, LastHeard({}))
        self._heard_changed = False
        self.anomalies: AnomalyWatch | None = None
        if policy.evaluate_rules:
            self.anomalies = AnomalyWatch(versions, policy.forget_after_ms, snapshot, heard.times_ms)
            again = self._backlog.between(self.anomalies.decided_until_ms, decided_until_ms)
            self.anomalies.advance(again, decided_until_ms)
        self._coarse_key, coarse = kept.coarse or (None, None)
        self._windows: WindowWatch | None = None
        if policy.windows is not None:
            self._windows = WindowWatch(policy.windows, decided_until_ms, coarse)
            again = self._backlog.between(0, decided_until_ms)
            if again is not None:
                self._windows.add(again)
        self._backlog.decided_until(decided_until_ms)

    def learn(self, versions: Versions, late: bool) -> None:
        """Take versions of the rules; `late` where one should have been in force already."""
        if self.anomalies is not None:
            self.anomalies.learn(versions)
            # What was judged before it came must not be judged by it after a restore.
            self._snapshot_is_due |= late

    def accept(self, readings: Readings) -> None:
        """Take readings that are on time."""
        key = self._log.append(Arrived(readings))
        self._backlog.add(key, self._log.size(key), readings)

    def hear(self, times_ms: Mapping[str, int]) -> None:
        """Take when devices were heard by records that are no readings, or late ones."""
        if self.anomalies is not None and self.anomalies.hear(times_ms):
            self._heard_changed = True

    @property
    def next_instant_ms(self) -> int | None:
        """When something is due without a reading."""
        watches = [watch for watch in (self.anomalies, self._windows) if watch is not None]
        return min((at for watch in watches if (at := watch.next_instant_ms) is not None), default=None)

    @property
    def waits_from_ms(self) -> int | None:
        """When the first reading that is not decided happened."""
        return self._backlog.first_after_ms(self._decided_until_ms)

    def advance(self, until_ms: int) -> list[Revision | Aggregate]:
        """Decide what has come up to an instant."""
        return self._decide(until_ms, until_ms)

    def finish(self) -> list[Revision | Aggregate]:
        """Decide all that has come; a window or an instant that has not ended stays open."""
        last_ms = max(self._backlog.last_ms() or 0, self._decided_until_ms)
        self._snapshot_is_due = True  # what is decided now lies beyond the clock that a restore would go by
        return self._decide(last_ms, self._decided_until_ms)

    def _decide(self, readings_until_ms: int, until_ms: int) -> list[Revision | Aggregate]:
        rows = self._backlog.between(self._decided_until_ms, readings_until_ms)
        outputs: list[Revision | Aggregate] = []
        if self.anomalies is not None:
            outputs += self.anomalies.advance(rows, readings_until_ms)
        if self._windows is not None:
            outputs += self._windows.advance(rows, until_ms)
        self._decided_until_ms = readings_until_ms
        self._backlog.decided_until(readings_until_ms)
        return outputs

    def write(self) -> None:
        """Write lasting state to the log, and drop what is no longer needed."""
        if self._windows is not None and self._windows.coarse_changed:
            if self._coarse_key is not None:
                self._log.remove(self._coarse_key)
            coarse = self._windows.coarse()
            self._coarse_key = None if coarse is None else self._log.append(coarse)
        if self.anomalies is not None:
            self._snapshot_is_due |= self.anomalies.forgot
            if self._heard_changed:
                self._write_heard(self.anomalies.heard_ms)
            decided_bytes = self._backlog.size_until(self._needed_after_ms)
            if decided_bytes <= self._snapshot_bytes + _SNAPSHOT_ABOVE_BYTES and not self._snapshot_is_due:
                return
            self._write_snapshot(self.anomalies)
        self.let_go()

    @property
    def _needed_after_ms(self) -> int:
        """The instant up to which no reading is needed any more."""
        open_from_ms = self._windows.keep_from_ms if self._windows is not None else None
        return self._decided_until_ms if open_from_ms is None else min(self._decided_until_ms, open_from_ms - 1)

    def let_go(self) -> None:
        """Drop readings that are no longer needed."""
        for key in self._backlog.drop_until(self._needed_after_ms):
            self._log.remove(key)

    def _write_heard(self, heard_ms: dict[str, int]) -> None:
        if self._heard_key is not None:
            self._log.remove(self._heard_key)
        self._heard_key = self._log.append(LastHeard(heard_ms))
        self._heard_changed = False

    def _write_snapshot(self, anomalies: AnomalyWatch) -> None:
        if self._snapshot_key is not None:
            self._log.remove(self._snapshot_key)
        self._snapshot_key = self._log.append(anomalies.snapshot())
        self._snapshot_bytes = self._log.size(self._snapshot_key)
        self._snapshot_is_due = False
