"""The demo on screen: a live view in a terminal, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from fleetpulse.cli.tables import cell
from fleetpulse.printable import printable
from fleetpulse.stack.demo.observe import Alert, Alerts, Figures

_COLOURS = {"open": "bold red", "updated": "red", "recovered": "green", "cancelled": "yellow", "expired": "dim"}
_LINE_EVERY_S = 5


@dataclass(frozen=True)
class Moment:
    """The content of the view at one moment."""

    figures: Figures
    per_second: float
    alerts: Alerts
    running_s: float


class View(Protocol):
    """Shows moments as they come."""

    def show(self, moment: Moment) -> None:
        """Show the present moment."""


@contextmanager
def view(console: Console) -> Iterator[View]:
    """A live view where the console is a terminal, else a view that prints lines."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    with Live(console=console, refresh_per_second=4) as live:
        yield _Screen(live)


class _Screen:
    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, moment: Moment) -> None:
        self._live.update(_screen(moment))


@dataclass
class _Lines:
    console: Console
    _last_s: float = -_LINE_EVERY_S
    _shown: set[Alert] = field(default_factory=set)

    def show(self, moment: Moment) -> None:
        for alert in reversed(moment.alerts.newest):
            if alert not in self._shown:
                self._shown.add(alert)
                self._print(f"{alert.stored_at:%H:%M:%S} {alert.state:<9} {printable(alert.summary)}")
        if moment.running_s - self._last_s >= _LINE_EVERY_S:
            self._last_s = moment.running_s
            self._print(" | ".join(f"{name} {value}" for name, value in _rows(moment)))

    def _print(self, line: str) -> None:
        self.console.print(line, soft_wrap=True, markup=False, highlight=False)


def _screen(moment: Moment) -> RenderableType:
    numbers = Table.grid(padding=(0, 3))
    rows = _rows(moment)
    numbers.add_row(*(Text(name, style="dim") for name, _ in rows))
    numbers.add_row(*(Text(value, style="bold") for _, value in rows))
    newest = Table(box=None, expand=True, header_style="dim")
    for title, settings in {"stored": 8, "state": 9}.items():
        newest.add_column(title, width=settings)
    newest.add_column("summary", ratio=1)
    for alert in moment.alerts.newest:
        state = Text(alert.state, style=_COLOURS.get(alert.state, ""))
        newest.add_row(f"{alert.stored_at:%H:%M:%S}", state, cell(alert.summary))
    return Group(
        Panel(numbers, title="fleet"), Panel(newest, title="newest alerts, from the database"), "Ctrl-C ends it"
    )


def _rows(moment: Moment) -> list[tuple[str, str]]:
    figures, alerts = moment.figures, moment.alerts
    return [
        ("devices", str(figures.known)),
        ("silent", str(figures.silent)),
        ("anomalies", str(figures.anomalies)),
        ("records/s", f"{moment.per_second:,.0f}"),
        ("records", f"{figures.read:,}"),
        ("late", f"{figures.late:,}"),
        ("rejected", f"{figures.rejected:,}"),
        ("watermark delay", f"{figures.watermark_lag_ms / 1000:.1f} s"),
        ("alerts", str(alerts.total)),
        ("open", str(alerts.open)),
    ]
