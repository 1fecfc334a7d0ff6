"""`fleetpulse load`: sends thousands of records a second, and reports lag and latency of the job that reads them."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
from confluent_kafka import Consumer, TopicPartition

from fleetpulse.cli.connections import Address
from fleetpulse.cli.parameters import Duration, Whole, topic_option
from fleetpulse.cli.settings import option
from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka.broker import announce
from fleetpulse.kafka.topics import ensure_topics
from fleetpulse.stack import rest
from fleetpulse.stack.cli import folder_option, require_running
from fleetpulse.stack.demo.observe import Figures, figures
from fleetpulse.stack.layout import Layout, layout
from fleetpulse.stack.submit import JOBS
from fleetpulse.topics import ALERTS, TELEMETRY

_DECIDING = ("monitor", "anomaly", "aggregate", "inactivity")
_LOOK_EVERY_S = 5.0
_BOUND_MS = 2_000  # the jobs' own, which an alert has to wait for


@click.command("load")
@option("rate", Whole(1, 10_000_000), "Records a second.", default=5_000, environment=False)
@option(
    "duration.seconds",
    Duration("s", 1),
    "How long.",
    default=60_000,
    parameter="duration_ms",
    environment=False,
)
@topic_option("topic", TELEMETRY.name, "Topic to fill.", variables=("TELEMETRY_TOPIC",))
@topic_option("alerts.topic", ALERTS.name, "Topic of the job's alerts.", environment=False)
@folder_option
def command(rate: int, duration_ms: float, topic: str, alerts_topic: str, folder: str) -> None:
    """Send telemetry at a steady rate; print the achieved rate, the job's lag and the latency of its alerts."""
    stack = layout(folder)
    require_running(stack)
    announce(Address(stack.address("kafka"), f"the stack in {stack.root}"))
    ensure_topics(stack.address("kafka"), [TELEMETRY])
    job = _deciding_job(stack)
    click.echo(f"job {job[0]} reads" if job else "no deciding job runs: only the rate can be measured")
    with (
        _Topics(stack.address("kafka"), topic, alerts_topic) as topics,
        _generator(stack, topic, rate, duration_ms) as sent,
    ):
        before = began = _look(stack, job, topics)
        while sent.poll() is None:
            time.sleep(_LOOK_EVERY_S)
            now = _look(stack, job, topics)
            _tell(before, now, began)
            before = now
        if sent.returncode:
            raise FleetpulseError(f"the simulator has ended with {sent.returncode}")
        _tell_latency(topics.latencies_ms())


class _Look:
    """The figures of one moment."""

    def __init__(self, figures: Figures, written: int) -> None:
        self.figures, self.written, self.at_s = figures, written, time.monotonic()


def _deciding_job(stack: Layout) -> tuple[str, str] | None:
    running = {job.name: job.id for job in rest.running_jobs(stack.address("flink-web"))}
    return next(((name, running[JOBS[name]]) for name in _DECIDING if JOBS[name] in running), None)


def _look(stack: Layout, job: tuple[str, str] | None, topics: "_Topics") -> _Look:
    return _Look(figures(stack, job[1]) if job else Figures(time.monotonic()), topics.written())


def _tell(before: _Look, now: _Look, began: _Look) -> None:
    written_a_second = (now.written - before.written) / (now.at_s - before.at_s)
    lag = max(0, (now.written - began.written) - ((now.figures.read or 0) - (began.figures.read or 0)))
    line = f"written {written_a_second:,.0f}/s"
    if now.figures.read:
        line += f" | read {now.figures.per_second(before.figures) or 0:,.0f}/s | lag {lag:,} records"
        line += f" | watermark delay {(now.figures.watermark_lag_ms or 0) / 1000:.1f} s"
    click.echo(line)


def _tell_latency(latencies_ms: list[int]) -> None:
    if not latencies_ms:
        click.echo("no alert arrived meanwhile, so there is no latency to report")
        return
    ordered = sorted(latencies_ms)
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    click.echo(
        f"{len(ordered):,} alert revisions; from event time and bound to detection: median "
        f"{statistics.median(ordered):,.0f} ms, p99 {p99:,} ms"
    )


@contextmanager
def _generator(stack: Layout, topic: str, rate: int, duration_ms: float) -> Iterator["subprocess.Popen[bytes]"]:
    command = [
        *(str(Path(sys.prefix) / "bin" / "fleetpulse"), "generate", "--dialect", "telemetry", "--num.devices", "1000"),
        *("--kafka.bootstrap.servers", stack.address("kafka"), "--topic", topic, "--rate", str(rate)),
        *("--duration.seconds", f"{duration_ms / 1000}s", "--failure.probability", "0", "--spike.rate", "0.0005"),
    ]
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


class _Topics:
    """How much the loaded topic holds, and the alerts that come from now on."""

    def __init__(self, bootstrap_servers: str, topic: str, alerts_topic: str) -> None:
        settings = {"bootstrap.servers": bootstrap_servers, "group.id": "fleetpulse-load", "enable.auto.commit": False}
        self._consumer = Consumer(settings | {"isolation.level": "read_committed", "log_level": 0})
        partitions = self._consumer.list_topics(topic, timeout=30).topics[topic].partitions
        self._partitions = [TopicPartition(topic, partition) for partition in partitions]
        alerts = self._consumer.list_topics(alerts_topic, timeout=30).topics[alerts_topic].partitions
        ends = [TopicPartition(alerts_topic, partition) for partition in alerts]
        for end in ends:
            end.offset = self._consumer.get_watermark_offsets(end, timeout=30)[1]
        self._consumer.assign(ends)

    def __enter__(self) -> "_Topics":
        return self

    def __exit__(self, *_failed: object) -> None:
        self._consumer.close()

    def written(self) -> int:
        """Records that the loaded topic ever got."""
        return sum(self._consumer.get_watermark_offsets(partition, timeout=30)[1] for partition in self._partitions)

    def latencies_ms(self) -> list[int]:
        """The time from the earliest possible decision of each alert to its detection."""
        found = []
        while (message := self._consumer.poll(1.0)) is not None:
            if message.error() is None:
                alert = json.loads(message.value() or b"{}")
                detected, changed = (datetime.fromisoformat(alert[name]) for name in ("detected_at", "changed_at"))
                found.append(round((detected - changed).total_seconds() * 1000) - _BOUND_MS)
        return found
