"""`fleetpulse demo`: from nothing to alerts on screen, in one command.

Each demo has its own topics and deletes them, so that its records reach neither an earlier demo nor your own jobs.
"""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import click
from rich.console import Console

from fleetpulse.cli.folder import has_processes
from fleetpulse.cli.parameters import Duration
from fleetpulse.cli.settings import option
from fleetpulse.errors import FleetpulseError
from fleetpulse.stack import lifecycle
from fleetpulse.stack.cli import folder_option, port_offset_option, show_addresses
from fleetpulse.stack.demo import steps
from fleetpulse.stack.demo.ending import end
from fleetpulse.stack.demo.observe import alerts, figures, health
from fleetpulse.stack.demo.starting import DEVICES, Demo, only_one, start
from fleetpulse.stack.demo.topics import DemoTopics
from fleetpulse.stack.demo.view import Moment, view
from fleetpulse.stack.layout import Layout, layout
from fleetpulse.stack.processes import supervision

_NEWEST = 12


@click.command("demo")
@option(
    "duration.seconds",
    Duration("s", 1000),
    "How long to watch.  [default: until Ctrl-C]",
    parameter="duration_ms",
    environment=False,
)
@folder_option
@port_offset_option()
def command(duration_ms: int | None, folder: str, port_offset: int | None) -> None:
    """Start everything, simulate a fleet, and watch its alerts arrive."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stack, console = layout(folder, port_offset), Console()
    closed: list[int] = []
    with only_one(stack), ExitStack() as ending:
        if not has_processes(stack.root):
            ending.callback(lifecycle.down, stack)
        console.print(f"starting Kafka, PostgreSQL and Flink, and simulating {DEVICES} devices", highlight=False)
        try:
            with steps.shown(console) as shown:
                demo = start(stack, shown, ending, lambda topics: closed.append(_end(stack, topics, console)))
            show_addresses(stack)
            last = _watch(demo, console, duration_ms and duration_ms / 1000)
        finally:  # also where the start is interrupted, or fails
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # what follows is short, and leaves nothing behind
            console.print("stopping")
    _report(console, demo, last, sum(closed))


def _end(stack: Layout, topics: DemoTopics, console: Console) -> int:
    """Cancel the jobs, close the alerts that are open, delete the topics; returns how many alerts were open."""
    try:
        return end(stack, topics)
    except FleetpulseError as away:
        console.print(f"the next demo will close the alerts of this one: {away}", soft_wrap=True, markup=False)
        return 0


def _watch(demo: Demo, console: Console, duration_s: float | None) -> Moment | None:
    watching_s = time.monotonic()
    moment = None
    with view(console) as shown, suppress(KeyboardInterrupt):
        for moment in _moments(demo):
            shown.show(moment)
            if duration_s and time.monotonic() - watching_s >= duration_s:
                break
    return moment


def _moments(demo: Demo) -> Iterator[Moment]:
    before = figures(demo.stack, demo.jobs["monitor"])
    while True:
        if demo.generator.poll() is not None:
            raise FleetpulseError(f"the simulator has ended: see {supervision.log_file(demo.stack, 'generator')}")
        now = figures(demo.stack, demo.jobs["monitor"])
        stored = alerts(demo.stack, demo.began, _NEWEST)
        found = health(demo.stack, demo.jobs, stored is not None, now.known is not None)
        yield Moment(now, now.per_second(before), stored, found, time.monotonic() - demo.began_s)
        before = now
        time.sleep(1)


def _report(console: Console, demo: Demo, last: Moment | None, closed: int) -> None:
    if last is None or last.alerts is None:
        return
    if last.alerts.first_at is None:
        raise FleetpulseError(
            f"no alert arrived within {last.running_s:.0f} s: see `fleetpulse stack logs taskmanager`"
        )
    first_s = (last.alerts.first_at - demo.began).seconds
    figures = last.figures
    summary = f"{figures.read or 0:,} records of {figures.known or 0} devices, {last.alerts.total} alerts"
    ended = f"the first {first_s} s after the start; {closed} were open, and are cancelled with the end of the demo"
    for line in (f"{summary}, {ended}", *_further(demo.stack)):
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def _further(stack: Layout) -> list[str]:
    """How to look further."""
    query = "SELECT changed_at, state, summary FROM alerts ORDER BY changed_at DESC LIMIT 20"
    command = Path(sys.prefix) / "bin" / "fleetpulse"
    return [
        "The alerts stay in the database:",
        f"  {command} stack up --dir {stack.root}",
        f'  {command} stack psql --dir {stack.root} -c "{query}"',
        "Your own rules: docs/rules.md. All that the stack can run: docs/embedded-stack.md.",
    ]
