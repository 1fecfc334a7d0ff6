"""What a million devices cost: `python -m bench state`.

Bytes a device in a savepoint and in memory, how long checkpoints and a restore take, and how long a restored job needs
to its first alert. All devices but a few hundred speak once; those few fall silent one a second, so that one alert is
always due.
"""

import time
from pathlib import Path
from urllib.parse import urlparse

import click
import psutil

from bench.live import Live, live, now_ms
from bench.measure import families
from bench.report import count_option, folder_option, machine, output_option, publish
from fleetpulse.stack import rest
from fleetpulse.stack.layout import Layout, layout
from fleetpulse.stack.processes import supervision

_TIMEOUT_MS = 600_000
_FALLING_SILENT = 500


@click.command(context_settings={"show_default": True})
@folder_option
@count_option("devices", 1_000, 1_000_000, "Devices to know.")
@output_option
def main(folder: str, devices: int, output: Path | None) -> None:
    """Measure state: its size, and what it costs to keep and to restore."""
    stack = layout(folder)
    arguments = ["--timeout.ms", str(_TIMEOUT_MS), "--evaluation.period.ms", "1000", "--reconnect.grace.ms", "0"]
    with live(stack, *arguments) as run:
        job = run.submit()
        _speak(run, 0)
        _wait_for_alert(run)
        before = _memory(stack)
        _speak(run, devices)
        _wait_until_known(stack, job, devices + _FALLING_SILENT)
        checkpoint = _last_checkpoint(stack, job)
        held = [after - empty for after, empty in zip(_memory(stack), before, strict=True)]
        savepoint = rest.savepoint(stack.address("flink-web"), job, stack.savepoints.as_uri(), stop=True)
        begun = time.monotonic()
        job = run.submit(savepoint)
        _wait_until_running(stack, job)
        running = time.monotonic() - begun
        _wait_for_alert(run)
        first_alert = time.monotonic() - begun
    figures = {
        "bytes a device in a savepoint": f"{_size(savepoint) / devices:,.0f}",
        "bytes a device in memory, Python workers": f"{held[0] / devices:,.0f}",
        "bytes a device in memory, JVM with its garbage": f"{held[1] / devices:,.0f}",
        "checkpoint, size": f"{checkpoint['state_size'] / 2**20:,.0f} MiB",
        "checkpoint, time": f"{checkpoint['end_to_end_duration']:,} ms",
        "restore, from submission to running": f"{running:,.1f} s",
        "restore, from submission to the first alert": f"{first_alert:,.1f} s",
    }
    lines = [f"{devices:,} devices; {machine()}.", "", "| | |", "| --- | ---: |"]
    publish("\n".join(lines + [f"| {what} | {figure} |" for what, figure in figures.items()]), output, "state")


def _speak(run: Live, devices: int) -> None:
    """Let devices speak once, now; without any, let the few speak that fall silent one a second from now on."""
    producer = run.producer()
    begun_ms = now_ms()
    for number in range(devices):
        run.produce(producer, _FALLING_SILENT + number, now_ms())
    if not devices:
        for number in range(_FALLING_SILENT):
            run.produce(producer, number, begun_ms - _TIMEOUT_MS + number * 1000)
    producer.flush()


def _memory(stack: Layout) -> tuple[int, int]:
    """Bytes that the TaskManager's Python workers and its JVM hold."""
    pid = next(status.pid for status in supervision.statuses(stack) if status.name == "taskmanager")
    manager, *workers = families([psutil.Process(pid)])
    return sum(worker.memory_full_info().uss for worker in workers), manager.memory_full_info().uss


def _wait_for_alert(run: Live) -> None:
    consumer = run.alerts_from_now("read_uncommitted")
    while (message := consumer.poll(300)) is not None and message.error() is not None:
        pass
    consumer.close()
    if message is None:
        raise SystemExit("no alert in 5 minutes")


def _wait_until_known(stack: Layout, job: str, records: int) -> None:
    """Wait until all records are read, and a checkpoint after that is complete."""
    address = stack.address("flink-web")
    while True:
        vertices = rest.get(address, f"/jobs/{job}")["vertices"]
        if max(v["metrics"]["read-records"] for v in vertices if v["name"].startswith("Source")) >= records:
            break
        time.sleep(0.5)
    done = rest.get(address, f"/jobs/{job}/checkpoints")["counts"]["completed"]
    while rest.get(address, f"/jobs/{job}/checkpoints")["counts"]["completed"] < done + 2:
        time.sleep(0.5)


def _wait_until_running(stack: Layout, job: str) -> None:
    """Wait until every task runs: its state is restored then."""
    while True:
        tasks = [v["status"] for v in rest.get(stack.address("flink-web"), f"/jobs/{job}")["vertices"]]
        if set(tasks) == {"RUNNING"}:
            return
        time.sleep(0.1)


def _last_checkpoint(stack: Layout, job: str) -> dict[str, int]:
    latest: dict[str, int] = rest.get(stack.address("flink-web"), f"/jobs/{job}/checkpoints")["latest"]["completed"]
    return latest


def _size(uri: str) -> int:
    return sum(file.stat().st_size for file in Path(urlparse(uri).path).rglob("*") if file.is_file())
