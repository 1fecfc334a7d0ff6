"""Ctrl-C and SIGTERM as a flag that the running code checks, so that nothing is left half done."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType

_PATIENCE_S = 30.0


class Stop:
    """Whether to stop, and whether to stop without waiting any longer."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._asked_at: float | None = None
        self._times = 0

    def ask(self) -> None:
        """Ask to stop; the second time, insist."""
        self._times += 1
        if self._asked_at is None:
            self._asked_at = self._monotonic()

    def asked(self) -> bool:
        """Whether to take no more readings."""
        return self._times > 0

    def insisted(self) -> bool:
        """Whether to stop without waiting: asked twice, or 30 seconds ago."""
        return self._times > 1 or (self._asked_at is not None and self._monotonic() - self._asked_at > _PATIENCE_S)


@contextlib.contextmanager
def on_signals() -> Iterator[Stop]:
    """Let SIGINT and SIGTERM ask to stop while the context is open."""
    stop = Stop()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop.ask()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
