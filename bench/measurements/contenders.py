"""Who competes, how each is started, and what is seen of it while it runs."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from bench.measure import families
from bench.topic import FEWEST
from fleetpulse.stack import rest
from fleetpulse.stack.layout import Layout
from fleetpulse.stack.processes import supervision
from fleetpulse.stack.programs import flink

ROOT = Path(__file__).parents[2]
PEERS_PYTHON = ROOT / "build" / "bench-venv" / "bin" / "python"
JAVA_JOB = ROOT / "build" / "bench-java" / "bench.jar"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a run happens: the stack, and the topics of this run."""

    stack: Layout
    topic: str
    alerts: str
    records: int

    def own(self, kind: str) -> str:
        """Name of a topic of another kind that belongs to this run alone."""
        return f"{self.alerts}.{kind}"

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's address."""
        return self.stack.address("kafka")


class Running(Protocol):
    """A contender at work."""

    def records(self) -> int:
        """How many records it has read so far."""

    def seconds(self) -> float | None:
        """How long it took from submission to end; None while it runs."""

    def processes(self) -> list[psutil.Process]:
        """All processes that work for it."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work. `share` of the records is enough where all of them would take hours."""

    name: str
    start: Callable[[Target], Running]
    share: float = 1.0

    def records(self, records: int) -> int:
        """How many of so many records this contender is given."""
        return max(FEWEST, round(records * self.share))


class FlinkJob:
    """A bounded job on the running cluster, submitted by `flink run`."""

    def __init__(self, target: Target, arguments: str) -> None:
        self._address = target.stack.address("flink-web")
        pids = {status.name: status.pid for status in supervision.statuses(target.stack)}
        self._cluster = [psutil.Process(pids[name]) for name in ("jobmanager", "taskmanager")]
        self._begun = time.time()
        self._client = psutil.Popen(
            [*flink.flink_command(), "run", "--detached", "--jobmanager", self._address, *arguments.split()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | flink.environment(target.stack),
            cwd=ROOT,
        )
        self._job: str | None = None

    def records(self) -> int:
        """As the cluster counts them, refreshed once in a while (metrics.fetcher.update-interval)."""
        if self._job is None:
            return 0
        vertices = rest.get(self._address, f"/jobs/{self._job}")["vertices"]
        return max(int(v["metrics"]["read-records"]) for v in vertices if v["name"].startswith("Source"))

    def seconds(self) -> float | None:
        """From the start of `flink run` to the end that the cluster noted."""
        if self._job is None:
            self._job = self._submitted()
        if self._job is None:
            return None
        job = rest.get(self._address, f"/jobs/{self._job}")
        if job["state"] in ("FAILED", "CANCELED"):
            raise SystemExit(f"job {self._job} {job['state'].lower()}: see the Flink UI at http://{self._address}")
        return job["end-time"] / 1000 - self._begun if job["state"] == "FINISHED" else None

    def processes(self) -> list[psutil.Process]:
        """The JobManager, the TaskManagers with their Python workers, and the submitting client."""
        return families([*self._cluster, self._client])

    def _submitted(self) -> str | None:
        if self._client.poll() is None:
            return None
        said = self._client.stdout.read()
        if (found := re.search(r"JobID ([0-9a-f]{32})", said)) is None:
            raise SystemExit(f"flink run failed: {said[-2000:]}")
        return found.group(1)


class SideBySide:
    """Several Flink jobs at the same time, each of which reads all records."""

    def __init__(self, jobs: list[FlinkJob]) -> None:
        self._jobs = jobs

    def records(self) -> int:
        """How far they are on average."""
        return sum(job.records() for job in self._jobs) // len(self._jobs)

    def seconds(self) -> float | None:
        """From submission to the end of the last one."""
        seconds = [job.seconds() for job in self._jobs]
        return None if None in seconds else max(filter(None, seconds))

    def processes(self) -> list[psutil.Process]:
        """The processes of the cluster and all clients."""
        return list(dict.fromkeys(process for job in self._jobs for process in job.processes()))


class LocalProcesses:
    """One or more processes of this machine that say on standard output how far they are."""

    def __init__(self, target: Target, commands: list[list[str]], **environment: str) -> None:
        environment |= {"PYTHONPATH": str(ROOT), "BENCH_BROKERS": target.bootstrap_servers}
        environment |= {"BENCH_TOPIC": target.topic, "BENCH_ALERTS": target.alerts}
        self._begun = time.time()
        self._children = [
            psutil.Popen(
                [str(PEERS_PYTHON), *command], stdout=subprocess.PIPE, text=True, env=os.environ | environment, cwd=ROOT
            )
            for command in commands
        ]
        self._records = [0] * len(commands)
        for number, child in enumerate(self._children):
            threading.Thread(target=self._listen, args=(number, child.stdout), daemon=True).start()

    def records(self) -> int:
        """As the processes say, a few times a second."""
        return sum(self._records)

    def seconds(self) -> float | None:
        """From the start to the end of the last process."""
        codes = [child.poll() for child in self._children]
        if any(codes):
            raise SystemExit(f"a contender failed with exit code {max(code or 0 for code in codes)}")
        return None if None in codes else time.time() - self._begun

    def processes(self) -> list[psutil.Process]:
        """The processes and their children."""
        return families(self._children)

    def _listen(self, number: int, lines: Iterator[str]) -> None:
        for line in lines:
            if line.startswith("records "):
                self._records[number] = int(line.split()[1])
            else:
                sys.stderr.write(line)


def _fleetpulse(time_source: str) -> Callable[[Target], Running]:
    return lambda target: FlinkJob(
        target,
        "-py jobs/inactivity.py -pyfs build/fleetpulse.zip --bounded"
        f" --kafka.bootstrap.servers {target.bootstrap_servers} --events.topic {target.topic}"
        f" --alerts.topic {target.alerts} --time.source {time_source}",
    )


def _plain(target: Target) -> Running:
    return FlinkJob(
        target,
        "-Dpython.execution-mode=process -py bench/peers/plain_flink.py"
        f" --brokers {target.bootstrap_servers} --topic {target.topic} --alerts {target.alerts}",
    )


def _java(target: Target) -> Running:
    job = JAVA_JOB.relative_to(ROOT)
    arguments = f"{target.bootstrap_servers} {target.topic} {target.alerts}"
    return FlinkJob(target, f"-c fleetpulse.bench.InactivityJob {job} {arguments}")


def _bare(target: Target) -> Running:
    arguments = [target.bootstrap_servers, target.topic, target.alerts]
    return LocalProcesses(target, [["-m", "bench.peers.bare_consumer", *arguments]])


def _quix(target: Target) -> Running:
    arguments = [target.bootstrap_servers, target.topic, target.alerts, str(target.records)]
    return LocalProcesses(target, [["-m", "bench.peers.quix", *arguments]])


def _bytewax(state: str) -> Callable[[Target], Running]:
    addresses = "localhost:21101;localhost:21102"
    command = ["-m", "bytewax.run", "bench.peers.bytewax_flow:flow", "-a", addresses, "-i"]
    return lambda target: LocalProcesses(target, [[*command, "0"], [*command, "1"]], BENCH_STATE=state)


CONTENDERS = (
    Contender("Fleetpulse, record time", _fleetpulse("record")),
    Contender("Fleetpulse, field time", _fleetpulse("field")),
    Contender("Java DataStream", _java),
    Contender("bare consumer, 1 process", _bare),
    Contender("Bytewax, 2 processes, keyed state", _bytewax("keyed")),
    Contender("Bytewax, 2 processes, bare memory", _bytewax("memory")),
    Contender("Quix Streams, 1 process", _quix),
    Contender("plain PyFlink", _plain, share=1 / 60),
)
