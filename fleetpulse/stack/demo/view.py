"""The demo on screen: a live view in a terminal, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from fleetpulse.cli.tables import cell
from fleetpulse.printable import printable
from fleetpulse.stack.demo.observe import Alert, Alerts, Figures, Health, troubles

_COLOURS = {"open": "bold red", "updated": "red", "recovered": "green", "cancelled": "yellow", "expired": "dim"}
_LINE_EVERY_S = 5


@dataclass(frozen=True)
class Moment:
    """The content of the view at one moment; None is what is not known."""

    figures: Figures
    per_second: float | None
    alerts: Alerts | None
    health: Health
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
    _troubles: list[str] = field(default_factory=list)

    def show(self, moment: Moment) -> None:
        for alert in reversed(moment.alerts.newest if moment.alerts else []):
            if alert not in self._shown:
                self._shown.add(alert)
                self._print(f"{alert.stored_at:%H:%M:%S} {alert.state:<9} {printable(alert.summary)}")
        found = troubles(moment.health)
        if moment.running_s - self._last_s >= _LINE_EVERY_S or found != self._troubles:
            self._last_s, self._troubles = moment.running_s, found
            self._print(" | ".join([*found, *(f"{name} {value}" for name, value in numbers(moment))]))

    def _print(self, line: str) -> None:
        self.console.print(line, soft_wrap=True, markup=False, highlight=False)


def _screen(moment: Moment) -> RenderableType:
    # As many beside each other as there is room for.
    figures = Columns((Text.assemble((name, "dim"), "\n", (value, "bold")) for name, value in numbers(moment)), (0, 3))
    newest = Table(box=None, expand=True, header_style="dim")
    for title, settings in {"stored": 8, "state": 9}.items():
        newest.add_column(title, width=settings)
    newest.add_column("summary", ratio=1)
    for alert in moment.alerts.newest if moment.alerts else []:
        state = Text(alert.state, style=_COLOURS.get(alert.state, ""))
        newest.add_row(f"{alert.stored_at:%H:%M:%S}", state, cell(alert.summary))
    lines = [Text(line, style="yellow") for line in troubles(moment.health)]
    fleet = Panel(Group(figures, *lines), title="fleet")
    return Group(fleet, Panel(newest, title="newest alerts, from the database"), "Ctrl-C ends it")


def numbers(moment: Moment) -> list[tuple[str, str]]:
    """The figures by name, as text; "-" for what is not known."""
    figures, alerts = moment.figures, moment.alerts
    lag_s = None if figures.watermark_lag_ms is None else figures.watermark_lag_ms / 1000
    return [
        ("devices", _shown(figures.known)),
        ("silent", _shown(figures.silent)),
        ("anomalies", _shown(figures.anomalies)),
        ("records/s", _shown(moment.per_second, ",.0f")),
        ("records", _shown(figures.read)),
        ("late", _shown(figures.late)),
        ("rejected", _shown(figures.rejected)),
        ("watermark delay", _shown(lag_s, ".1f", " s")),
        ("alerts", _shown(alerts.total if alerts else None)),
        ("open", _shown(alerts.open if alerts else None)),
    ]


def _shown(value: float | None, form: str = ",", unit: str = "") -> str:
    return "-" if value is None else f"{value:{form}}{unit}"
