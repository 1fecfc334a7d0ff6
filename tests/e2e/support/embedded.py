"""A stack for tests: its own folder and ports, beside whatever else runs on the machine."""

import os
import random
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xmlrpc.client import ServerProxy

import requests

from fleetpulse.errors import FleetpulseError
from fleetpulse.stack import lifecycle
from fleetpulse.stack.layout import OPTIONAL, Layout
from fleetpulse.stack.passwords import password
from fleetpulse.stack.ports import check_ports
from fleetpulse.stack.processes import supervision
from fleetpulse.stack.programs import postgres
from tests.waiting import wait_until

_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
STRIDE = 34  # no two ports of a stack are a multiple of it apart, so that none of ours is one of the worker's beside us
# Every port below those that outgoing connections are given.
_OFFSETS = range(10_000 + STRIDE * _WORKER, 22_000, STRIDE * _WORKERS)


@dataclass(frozen=True)
class EmbeddedStack:
    """A running stack and how to reach it."""

    layout: Layout

    @property
    def dir(self) -> Path:
        """Its folder."""
        return self.layout.root

    @property
    def bootstrap(self) -> str:
        """Kafka's `host:port`."""
        return self.layout.address("kafka")

    @property
    def flink_rest(self) -> str:
        """`host:port` of Flink's REST interface."""
        return self.layout.address("flink-web")

    @property
    def database_dsn(self) -> str:
        """Connection string of the database's superuser."""
        return postgres.dsn(self.layout)

    def metrics(self) -> str:
        """What the TaskManager shows to Prometheus."""
        return requests.get(f"http://{self.layout.address('taskmanager-metrics')}/metrics", timeout=60).text

    def loaded_classes(self) -> int:
        """How many classes the TaskManager holds."""
        name = "flink_taskmanager_Status_JVM_ClassLoader_ClassesLoaded"
        [loaded] = re.findall(rf"^{name}\{{.*\}} (\S+)$", self.metrics(), re.MULTILINE)
        return int(float(loaded))

    def pid(self, name: str) -> int:
        """Process id of a program; 0 when it does not run."""
        return {status.name: status.pid for status in supervision.statuses(self.layout)}.get(name, 0)

    def stray_workers(self) -> list[str]:
        """Python workers that the TaskManager that runs did not start."""
        workers = [p for p in supervision.processes(self.layout) if "pyflink.fn_execution" in " ".join(p.cmdline())]
        taskmanager = self.pid("taskmanager")
        return [str(worker) for worker in workers if taskmanager not in {above.pid for above in worker.parents()}]

    def kill(self, name: str) -> None:
        """Kill a program with -9 and wait until its successor runs."""
        killed = wait_until(f"{name} to run", lambda: self.pid(name))  # 0 would be our own process group
        os.kill(killed, signal.SIGKILL)
        wait_until(f"{name} to be started again", lambda: self.pid(name) not in (0, killed))

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """A program that is stopped until the end of the block, which its supervisor does not start again."""
        secret = password(self.layout, "supervisor")
        supervisor = ServerProxy(f"http://fleetpulse:{secret}@{self.layout.address('supervisor')}/RPC2").supervisor
        supervisor.stopProcess(name)
        try:
            yield
        finally:
            supervisor.startProcess(name)

    def wait_until_ready(self) -> None:
        """Wait until all programs answer; bounded."""
        for _ in lifecycle.up(self.layout):
            pass


@contextmanager
def running_stack(folder: Path, optional: frozenset[str] = frozenset()) -> Iterator[EmbeddedStack]:
    """A stack in `folder` on free ports, stopped at the end."""
    stack = EmbeddedStack(Layout(folder, free_offset(), optional))
    try:
        stack.wait_until_ready()
        yield stack
    finally:
        lifecycle.down(stack.layout)


def free_offset() -> int:
    """A port offset at which every port of a stack is free now."""
    for offset in random.sample(_OFFSETS, min(100, len(_OFFSETS))):
        try:
            layout = Layout(Path(), offset, frozenset(OPTIONAL))
            check_ports(layout, layout.ports)
        except FleetpulseError:
            continue
        return offset
    raise AssertionError("no free ports")
