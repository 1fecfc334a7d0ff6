"""The clock a shard decides by: the watermark, held back while our own outage could look like the fleet's."""

from dataclasses import dataclass
from typing import NamedTuple

END_OF_INPUT_MS = (1 << 63) - 1  # the watermark Flink sends when bounded input has ended


@dataclass(frozen=True, slots=True)
class TickPolicy:
    """What a gap in ticks means, in milliseconds of the broker's clock.

    Ticks come through Kafka several times a second. A gap longer than `gap_ms` means that the job or the broker was
    away; then nothing is decided until `reconnect_grace_ms` after they resume, so that producers can deliver.
    A Kafka timestamp more than `ahead_ms` ahead of the ticks is wrong. A watermark more than `jump_ms` ahead of what is
    decided and of what has come is decided once ticks have gone on for `confirm_ms`: it may be that of a drain.
    """

    gap_ms: int = 5_000
    reconnect_grace_ms: int = 30_000
    ahead_ms: int = 60_000
    jump_ms: int = 35_000
    confirm_ms: int = 2_000


class Broker(NamedTuple):
    """The broker's clock, and the latest Kafka timestamp that it allows (epoch ms)."""

    now_ms: int
    latest_ms: int


_STEADY_AFTER_S, _FRESH_FOR_S = 5.0, 2.0


class BrokerClock:
    """The broker's clock by the ticks, as long as they come steadily.

    After a restart old ticks are read again, and after an outage records may come before the next tick. So a tick is
    trusted for 2 s, and only where ticks have come for 5 s without such a pause. `now_s` is processing time, from any
    start.
    """

    def __init__(self, ahead_ms: int) -> None:
        self._ahead_ms = ahead_ms
        self._tick_ms = 0
        self._since_s = self._last_s = float("-inf")

    def tick(self, tick_ms: int, now_s: float) -> None:
        """Take a tick that has come."""
        if now_s - self._last_s > _FRESH_FOR_S:
            self._since_s = now_s
        self._last_s = now_s
        self._tick_ms = max(self._tick_ms, tick_ms)

    def read(self, now_s: float) -> Broker | None:
        """What the clock shows; None where the ticks do not tell."""
        if now_s - self._last_s > _FRESH_FOR_S or self._last_s - self._since_s < _STEADY_AFTER_S:
            return None
        return Broker(self._tick_ms, self._tick_ms + self._ahead_ms)


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
