"""Reports that Kafka does not answer: once, then at intervals, then that it is back."""

from collections.abc import Callable
from datetime import datetime

_QUIET_S = 3.0
_REPEAT_S = 10.0


class StallWatch:
    """Checked at intervals for progress; reports a stall through `say`."""

    def __init__(self, where: str, now_s: Callable[[], float], say: Callable[[str], object]) -> None:
        self._where, self._now_s, self._say = where, now_s, say
        self._since_s = now_s()
        self._said_at_s: float | None = None

    def moved(self) -> None:
        """Kafka answered, or there was nothing to answer."""
        now_s = self._now_s()
        if self._said_at_s is not None:
            self._say(f"Kafka at {self._where} answers again, after {now_s - self._since_s:.0f} s")
        self._since_s, self._said_at_s = now_s, None

    def quiet(self, held: int) -> None:
        """Nothing moved since the last look, and so many records wait."""
        now_s = self._now_s()
        due_s = self._since_s + _QUIET_S if self._said_at_s is None else self._said_at_s + _REPEAT_S
        if now_s < due_s:
            return
        self._said_at_s = now_s
        since = datetime.fromtimestamp(self._since_s).astimezone()
        self._say(
            f"waiting for Kafka at {self._where}: no answer since {since:%H:%M:%S} ({now_s - self._since_s:.0f} s)"
            + (f", {held:,} records held" if held else "")
        )
