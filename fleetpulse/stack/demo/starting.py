"""Starts what a demo is made of, side by side as far as it goes: the stack, a simulated fleet and the jobs."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fleetpulse.cli.folder import MARK
from fleetpulse.errors import ConfigurationError
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.stack import lifecycle
from fleetpulse.stack.demo.ending import end_former
from fleetpulse.stack.demo.steps import Steps
from fleetpulse.stack.demo.topics import DemoTopics
from fleetpulse.stack.layout import Layout, project_root
from fleetpulse.stack.processes import successor, supervision
from fleetpulse.stack.submit import defaults, submit

DEVICES = 200
_FOR_EVER_S = 7 * 86_400
_PROGRAMS = ("kafka", "postgres", "jobmanager", "taskmanager")


@dataclass(frozen=True)
class Demo:
    """A demo that runs. `began_s` is of the monotonic clock; `jobs` has the ids of its jobs by name."""

    stack: Layout
    topics: DemoTopics
    began: datetime
    began_s: float
    generator: "subprocess.Popen[bytes]"
    jobs: dict[str, str]


@contextmanager
def only_one(stack: Layout) -> Iterator[None]:
    """Refuse a second demo in a folder: it would end the first one.

    Raises:
        ConfigurationError: a demo runs.
    """
    with lifecycle.file_errors_in_one_line(stack):
        stack.root.mkdir(parents=True, exist_ok=True)
        with (stack.root / lifecycle.DEMO_LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConfigurationError(
                    f"a demo runs already in {stack.root}: end it with Ctrl-C, or give this one its own folder and "
                    "ports with --dir and --port.offset"
                ) from None
            successor.end_leftovers(_simulators(stack))  # of a demo that was killed
            yield


def start(stack: Layout, steps: Steps, ending: ExitStack, end: Callable[[DemoTopics], None]) -> Demo:
    """Start everything. Jobs are submitted from the moment that Kafka is there, while Flink still starts.

    Args:
        stack: where.
        steps: shows how far it is.
        ending: gets what undoes it.
        end: ends a demo of these topics, once its simulator has stopped.
    """
    began, began_s = datetime.now(UTC), time.monotonic()
    topics = DemoTopics.begun(began)
    steps.begin(*_PROGRAMS)
    for name in lifecycle.up(stack):
        steps.end(name)
        if name == "kafka":
            ending.callback(end, topics)
            pool = ThreadPoolExecutor(1)
            ending.callback(pool.shutdown, cancel_futures=True)
            submitted = _submit_jobs(stack, topics, steps, pool)
            generator = ending.enter_context(_simulator(stack, topics))
    end_former(stack, topics)
    return Demo(stack, topics, began, began_s, generator, {name: job.result() for name, job in submitted.items()})


@contextmanager
def _simulator(stack: Layout, topics: DemoTopics) -> Iterator["subprocess.Popen[bytes]"]:
    command = [
        *(str(Path(sys.prefix) / "bin" / "fleetpulse"), "generate"),
        *("--kafka.bootstrap.servers", stack.address("kafka"), "--topic", topics.events.name),
        *("--num.devices", str(DEVICES), "--event.interval.ms", "1000", "--failure.probability", "0.1"),
        *("--dialect", "mixed", "--spike.rate", "0.0005", "--stuck.probability", "0.02", "--located.share", "0.5"),
        *("--backfill.seconds", "10m", "--duration.seconds", str(_FOR_EVER_S), "--seed", str(int(time.time()))),
    ]
    marks = {MARK: stack.name, successor.MARK: _simulators(stack)}  # it outlives a demo that is killed
    with supervision.log_file(stack, "generator").open("wb") as log:
        # A session of its own: Ctrl-C is ours to pass on, after the view has ended.
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=os.environ | marks)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def _simulators(stack: Layout) -> str:
    return f"{stack.name} demo"


def _submit_jobs(stack: Layout, topics: DemoTopics, steps: Steps, pool: ThreadPoolExecutor) -> dict[str, "Future[str]"]:
    """Submit the jobs one after the other: two clients at once would delay the one that alerts wait for."""
    monitor = ["--events.topic", topics.events.name, "--alerts.topic", topics.alerts.name]
    monitor += ["--late.topic", topics.late.name, "--dlq.topic", topics.dead_letters.name]
    monitor += ["--ticks.topic", topics.ticks.name, "--checkpoint.interval.ms", "2000"]
    monitor += ["--rules", str(project_root() / "rules" / "complete.yaml"), "--rules.topic", topics.rules.name]
    monitor += ["--aggregates.topic", topics.aggregates.name, "--window", "10s"]
    archive = ["--alerts.topic", topics.alerts.name, "--aggregates.topic", topics.aggregates.name]

    def submitted(job: str, arguments: list[str]) -> str:
        with steps.step(f"submit the {job} job"):
            return submit(stack, job, [*defaults(stack, job), *arguments, "--parallelism", "1"])

    ensure_topics(stack.address("kafka"), topics.all)
    return {
        "monitor": pool.submit(submitted, "monitor", monitor),
        "archive": pool.submit(submitted, "archive", archive),
    }
