"""The clock a shard decides by: the watermark, held back while our own outage could look like the fleet's."""

from dataclasses import dataclass
from typing import NamedTuple

END_OF_INPUT_MS = (1 << 63) - 1  # the watermark Flink sends when bounded input has ended


@dataclass(frozen=True, slots=True)
class TickPolicy:
    """What a gap in ticks means, in milliseconds of the broker's clock.

    Ticks come through Kafka several times a second. A gap longer than `gap_ms` means that the job or the broker was
    away; then nothing is decided until `reconnect_grace_ms` after they resume, so that producers can deliver.
    """

    gap_ms: int = 5_000
    reconnect_grace_ms: int = 30_000


class TickClock(NamedTuple):
    """The last tick, and until which tick nothing is decided (epoch ms of the broker's clock)."""

    last_tick_ms: int | None = None
    held_until_ms: int | None = None

    def after(self, tick_ms: int, policy: TickPolicy) -> "TickClock":
        """The clock once `tick_ms` has been read. Ticks read again after a restore change nothing."""
        if self.last_tick_ms is None:
            return TickClock(tick_ms, self.held_until_ms)
        held_until_ms = self.held_until_ms
        if tick_ms - self.last_tick_ms > policy.gap_ms:
            held_until_ms = tick_ms + policy.reconnect_grace_ms
        elif held_until_ms is not None and tick_ms >= held_until_ms:
            held_until_ms = None
        return TickClock(max(tick_ms, self.last_tick_ms), held_until_ms)
