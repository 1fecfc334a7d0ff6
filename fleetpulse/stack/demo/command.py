"""`fleetpulse demo`: from nothing to alerts on screen, in one command.

Each demo has its own topics and deletes them, so that its records reach neither an earlier demo nor your own jobs.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from fleetpulse.cli.parameters import Duration
from fleetpulse.cli.settings import option
from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka.topics import delete_topics, ensure_topics
from fleetpulse.stack import lifecycle, rest
from fleetpulse.stack.cli import folder_option, port_offset_option, show_addresses
from fleetpulse.stack.demo.observe import alerts, figures, health
from fleetpulse.stack.demo.view import Moment, view
from fleetpulse.stack.layout import Layout, has_processes, layout, project_root
from fleetpulse.stack.processes import supervision
from fleetpulse.stack.submit import defaults, submit
from fleetpulse.topics import AGGREGATES, ALERTS, DEAD_LETTERS, EVENTS, LATE, RULES, Topic, ticks

_DEVICES = 200
_FOR_EVER_S = 7 * 86_400
_NEWEST = 12


@dataclass(frozen=True)
class _Topics:
    events: Topic
    alerts: Topic
    late: Topic
    dead_letters: Topic
    ticks: Topic
    rules: Topic
    aggregates: Topic

    @property
    def all(self) -> list[Topic]:
        return [getattr(self, field.name) for field in fields(self)]


@dataclass(frozen=True)
class _Demo:
    stack: Layout
    began: datetime
    began_s: float
    generator: "subprocess.Popen[bytes]"
    jobs: dict[str, str]


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
    with ExitStack() as ending:
        demo = _start(stack, console, ending)
        last = _watch(demo, console, duration_ms and duration_ms / 1000)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what follows is short, and leaves nothing behind
        console.print("stopping")
    _report(console, demo, last)


def _start(stack: Layout, console: Console, ending: ExitStack) -> _Demo:
    began, began_s = datetime.now(UTC), time.monotonic()
    topics = _own_topics(began)
    if not has_processes(stack):
        ending.callback(lifecycle.down, stack)
    for name in lifecycle.up(stack):
        console.print(f"{name} is ready after {time.monotonic() - began_s:.0f} s")
    ending.callback(delete_topics, stack.address("kafka"), topics.all)
    ensure_topics(stack.address("kafka"), topics.all)
    generator = ending.enter_context(_simulator(stack, topics.events))
    console.print(f"simulating {_DEVICES} devices, 10 minutes of history first; submitting the jobs")
    jobs = _submit_jobs(stack, topics, ending)
    show_addresses(stack)
    return _Demo(stack, began, began_s, generator, jobs)


def _own_topics(began: datetime) -> _Topics:
    prefix = f"demo-{began:%Y%m%d-%H%M%S}"
    kinds = (EVENTS, ALERTS, LATE, DEAD_LETTERS, ticks("monitor"), RULES, AGGREGATES)
    names = ("events", "alerts", "late", "dlq", "ticks", "rules", "aggregates")
    return _Topics(*(replace(kind, name=f"{prefix}.{name}") for kind, name in zip(kinds, names, strict=True)))


@contextmanager
def _simulator(stack: Layout, topic: Topic) -> Iterator["subprocess.Popen[bytes]"]:
    command = [
        *(str(Path(sys.prefix) / "bin" / "fleetpulse"), "generate"),
        *("--kafka.bootstrap.servers", stack.address("kafka"), "--topic", topic.name),
        *("--num.devices", str(_DEVICES), "--event.interval.ms", "1000", "--failure.probability", "0.1"),
        *("--dialect", "mixed", "--spike.rate", "0.0005", "--stuck.probability", "0.02", "--located.share", "0.5"),
        *("--backfill.seconds", "10m", "--duration.seconds", str(_FOR_EVER_S), "--seed", str(int(time.time()))),
    ]
    with supervision.log_file(stack, "generator").open("wb") as log:
        # A session of its own: Ctrl-C is ours to pass on, after the view has ended.
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def _submit_jobs(stack: Layout, topics: _Topics, ending: ExitStack) -> dict[str, str]:
    monitor = ["--events.topic", topics.events.name, "--alerts.topic", topics.alerts.name]
    monitor += ["--late.topic", topics.late.name, "--dlq.topic", topics.dead_letters.name]
    monitor += ["--ticks.topic", topics.ticks.name, "--checkpoint.interval.ms", "2000"]
    monitor += ["--rules", str(project_root() / "rules" / "complete.yaml"), "--rules.topic", topics.rules.name]
    monitor += ["--aggregates.topic", topics.aggregates.name, "--window", "10s"]
    archive = ["--alerts.topic", topics.alerts.name, "--aggregates.topic", topics.aggregates.name, "--parallelism", "1"]
    with ThreadPoolExecutor(2) as pool:
        submitted = {
            job: pool.submit(submit, stack, job, [*defaults(stack, job), *arguments])
            for job, arguments in {"monitor": monitor, "archive": archive}.items()
        }
        for future in submitted.values():
            ending.callback(_cancel, stack, future.result())
    return {job: future.result() for job, future in submitted.items()}


def _cancel(stack: Layout, job: str) -> None:
    with suppress(FleetpulseError):  # it has ended by itself, or Flink has
        rest.cancel(stack.address("flink-web"), job)


def _watch(demo: _Demo, console: Console, duration_s: float | None) -> Moment | None:
    watching_s = time.monotonic()
    moment = None
    with view(console) as shown, suppress(KeyboardInterrupt):
        for moment in _moments(demo):
            shown.show(moment)
            if duration_s and time.monotonic() - watching_s >= duration_s:
                break
    return moment


def _moments(demo: _Demo) -> Iterator[Moment]:
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


def _report(console: Console, demo: _Demo, last: Moment | None) -> None:
    if last is None or last.alerts is None:
        return
    if last.alerts.first_at is None:
        raise FleetpulseError(
            f"no alert arrived within {last.running_s:.0f} s: see `fleetpulse stack logs taskmanager`"
        )
    first_s = (last.alerts.first_at - demo.began).seconds
    console.print(
        f"{last.figures.read or 0:,} records of {last.figures.known or 0} devices, {last.alerts.total} alerts, "
        f"{last.alerts.open} of them still open; the first {first_s} s after the start",
        soft_wrap=True,
    )
