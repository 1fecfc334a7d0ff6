"""The metrics of the job: gauges over the shards in memory, and counts of alerts."""

import time
from collections.abc import Callable
from operator import attrgetter

from pyflink.metrics import Counter, MetricGroup

from fleetpulse.alerts import Revision
from fleetpulse.records.reasons import Reason
from fleetpulse.rules.checks import starving
from fleetpulse.shard.shard import Output, Shard


class Gauges:
    """Registers the metrics of one subtask. Flink reads gauges at the end of a bundle; they are integers."""

    def __init__(self, metrics: MetricGroup, shards: dict[int, Shard]) -> None:
        self._metrics = metrics
        self._shards = shards
        self._alerts: dict[tuple[str, str], Counter] = {}
        self._starving: tuple[tuple[int, int], list[str]] = ((0, 0), [])
        self.watermark_ms = 0
        # Not a distribution: Prometheus is always told 0 of it.
        self.frames = metrics.counter("fleetpulse_frames")
        self.frame_bytes = metrics.counter("fleetpulse_frame_bytes")
        metrics.gauge("fleetpulse_records_read", self._sum(lambda count: count.read))
        metrics.gauge("fleetpulse_records_on_time", self._sum(lambda count: count.on_time))
        metrics.gauge("fleetpulse_records_late", self._sum(lambda count: count.late))
        for reason in Reason:
            group = metrics.add_group("reason", reason)
            group.gauge("fleetpulse_records_rejected", self._sum(lambda c, reason=reason: c.rejected.get(reason, 0)))
        self.rules_refused = metrics.counter("fleetpulse_rules_refused")
        metrics.gauge("fleetpulse_devices_known", lambda: sum(s.devices_known for s in shards.values()))
        metrics.gauge("fleetpulse_devices_silent", lambda: sum(s.devices_silent for s in shards.values()))
        metrics.gauge("fleetpulse_anomalies_open", lambda: sum(s.anomalies_open for s in shards.values()))
        metrics.gauge("fleetpulse_rule_version", lambda: min((s.rule_version for s in shards.values()), default=0))
        metrics.gauge("fleetpulse_rules_without_values", lambda: len(self.rules_without_values()))
        metrics.gauge("fleetpulse_shards_held", lambda: sum(s.held for s in shards.values()))
        metrics.gauge("fleetpulse_watermark_lag_ms", self._watermark_lag_ms)

    def _sum(self, value) -> Callable[[], int]:  # type: ignore[no-untyped-def]
        shards = self._shards
        return lambda: sum(value(count) for shard in shards.values() for count in shard.counts.values())

    def _watermark_lag_ms(self) -> int:
        return max(0, time.time_ns() // 1_000_000 - self.watermark_ms) if self.watermark_ms > 0 else 0

    def rules_without_values(self) -> list[str]:
        """What lacks of the rules in force: the metrics of which no shard in memory has had a value, in words."""
        watches = [s.readings.anomalies for s in self._shards.values() if s.readings and s.readings.anomalies]
        metrics = set().union(*(watch.metrics for watch in watches))
        newest = max(watches, key=attrgetter("version"), default=None)
        key = (newest.version if newest else 0, len(metrics))
        if newest is not None and key != self._starving[0]:
            self._starving = (key, [message for _, message in starving(newest.rules, metrics)])
        return self._starving[1]

    def count(self, outputs: list[Output]) -> None:
        """Count the alerts among `outputs` by kind and state."""
        for output in outputs:
            if isinstance(output, Revision):
                self._alert_counter(output.kind, output.state).inc()

    def _alert_counter(self, kind: str, state: str) -> Counter:
        counter = self._alerts.get((kind, state))
        if counter is None:
            group = self._metrics.add_group("kind", kind).add_group("state", state)
            counter = self._alerts[kind, state] = group.counter("fleetpulse_alerts")
        return counter
