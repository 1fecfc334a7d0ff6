"""How far the simulation is: a bar on a terminal, a line now and then elsewhere. Both on standard error."""

import contextlib
import time
from collections import deque
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from generator.scenario import ENDLESS_MS, Scenario

_LINE_EVERY_S = 10.0
_REFRESH_S = 0.2
_RATE_OVER_S = 5.0


class Display:
    """Shows records acknowledged, their rate and the time left."""

    def __init__(self, scenario: Scenario, console: Console, bar: Progress, task: TaskID) -> None:
        self._scenario, self._console, self._bar, self._task = scenario, console, bar, task
        self._samples = deque([(time.monotonic(), 0, 0)])
        self._lines_at = self._samples[0][0] + _LINE_EVERY_S

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._console.print(text, style="yellow", highlight=False, markup=False, soft_wrap=True)

    def update(self, acknowledged: int, reached_ms: int) -> None:
        """Show where we are; cheap enough to be called often.

        Args:
            acknowledged: records acknowledged so far.
            reached_ms: send time of the last record, epoch ms; 0 before the first.
        """
        now, done_ms = time.monotonic(), max(0, reached_ms - self._scenario.start_ms)
        if now - self._samples[-1][0] < _REFRESH_S:
            return
        self._samples.append((now, acknowledged, done_ms))
        while len(self._samples) > 2 and now - self._samples[0][0] > _RATE_OVER_S:
            self._samples.popleft()
        status = self._status()
        self._bar.update(self._task, completed=done_ms, status=status)
        if not self._console.is_terminal and now >= self._lines_at:
            self._lines_at = now + _LINE_EVERY_S
            self._console.print(status, highlight=False, soft_wrap=True)

    def _status(self) -> str:
        (first, count_then, done_then), (last, count, done_ms) = self._samples[0], self._samples[-1]
        rate = (count - count_then) / (last - first)
        if self._scenario.duration_ms == ENDLESS_MS:
            return f"{count:,} records, {rate:,.1f}/s"
        left_s = seconds_left(self._scenario, done_ms, (done_ms - done_then) / (last - first), time.time() * 1000)
        return f"{count:,} records, {rate:,.0f}/s, {_clock(left_s)} left"


def seconds_left(scenario: Scenario, done_ms: int, speed: float, now_ms: float) -> float:
    """Return the time left: history takes what its speed says, and no run ends before its last record is due.

    Args:
        scenario: what is simulated.
        done_ms: how much of its time has been sent.
        speed: simulated milliseconds a second.
        now_ms: the clock, epoch ms.
    """
    history_s = (scenario.duration_ms - done_ms) / speed if speed > 0 else 0.0
    return max(history_s, (scenario.end_ms - now_ms) / 1000, 0.0)


@contextlib.contextmanager
def display(scenario: Scenario) -> Iterator[Display]:
    """Show progress while the context is open."""
    console = Console(stderr=True)
    endless = scenario.duration_ms == ENDLESS_MS
    share = () if endless else (TextColumn("{task.percentage:>3.0f} %"),)
    columns = (BarColumn(), *share, TextColumn("{task.fields[status]}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None if endless else scenario.duration_ms, status="waiting for Kafka")
        yield Display(scenario, console, bar, task)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
