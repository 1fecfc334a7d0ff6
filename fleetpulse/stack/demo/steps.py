"""The steps of a start, with the time that each took: a live list in a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text


@dataclass
class Steps:
    """Steps that run side by side, begun and ended from any thread; times are of the monotonic clock, in s."""

    ended: Callable[[str], None]  # gets a line about each step as it ends
    clock_s: Callable[[], float] = time.monotonic
    _began_s: dict[str, float] = field(default_factory=dict)
    _ended_s: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._start_s = self.clock_s()

    def begin(self, *names: str) -> None:
        """Steps that begin now."""
        self._began_s |= dict.fromkeys(names, self.clock_s())

    def end(self, name: str) -> None:
        """A step that is done."""
        now_s = self._ended_s[name] = self.clock_s()
        took_s = now_s - self._began_s.setdefault(name, self._start_s)
        self.ended(f"{now_s - self._start_s:5.1f} s  {name}: done in {took_s:.1f} s")

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step that lasts as long as the block."""
        self.begin(name)
        yield
        self.end(name)

    def __rich__(self) -> Table:
        """All steps, those that are done marked, and the time since the start."""
        now_s = self.clock_s()
        rows = Table.grid(padding=(0, 2))
        for name, began_s in list(self._began_s.items()):
            ended_s = self._ended_s.get(name)
            mark = Text("…") if ended_s is None else Text("✓", "green")
            rows.add_row(mark, name, Text(f"{(ended_s or now_s) - began_s:.1f} s", "dim", justify="right"))
        rows.add_row("", "since the start", Text(f"{now_s - self._start_s:.1f} s", "dim", justify="right"))
        return rows


@contextmanager
def shown(console: Console) -> Iterator[Steps]:
    """Steps that are shown as they happen."""
    if not console.is_terminal:
        yield Steps(lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True))
        return
    steps = Steps(lambda _line: None)
    with Live(steps, console=console, refresh_per_second=4):
        yield steps
