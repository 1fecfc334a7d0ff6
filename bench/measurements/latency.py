"""From event to alert at 5,000 records a second: `python -m bench latency`.

The latency of an alert is the wall clock at which a consumer has it, minus (event time + out-of-orderness bound): what
the project adds to the wait that the semantics demand. The event time is T of `open`, the record's of `recovered`.
"""

import statistics
import threading
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import click
import msgspec
from confluent_kafka import Consumer

from bench.live import Live, live, now_ms
from bench.report import folder_option, machine, output_option, publish
from fleetpulse.cli.parameters import Duration
from fleetpulse.cli.settings import option
from fleetpulse.stack.layout import layout

_BOUND_MS = 2_000
_DEVICES = 5_000
_CYCLE_MS = 10_000  # each device speaks twice a second for 5 s, then is silent for 5 s; phases are spread evenly
_STEP_MS = 10
_ISOLATIONS = ("read_uncommitted", "read_committed")


class _Alert(msgspec.Struct):
    state: str
    changed_at: str


class Listener(threading.Thread):
    """Notes how late each alert was when it could be seen."""

    def __init__(self, consumer: Consumer) -> None:
        super().__init__(daemon=True)
        self._consumer = consumer
        self._decode = msgspec.json.Decoder(_Alert).decode
        self.running = True
        self.latencies_ms: dict[str, list[float]] = defaultdict(list)

    def run(self) -> None:
        """Listen until told otherwise."""
        while self.running:
            message = self._consumer.poll(0.2)
            if message is not None and message.error() is None:
                alert = self._decode(message.value() or b"")
                event_ms = datetime.fromisoformat(alert.changed_at).timestamp() * 1000
                self.latencies_ms[alert.state].append(now_ms() - event_ms - _BOUND_MS)
        self._consumer.close()


@click.command(context_settings={"show_default": True})
@folder_option
@option(
    "duration.seconds",
    Duration("s", 10_000),
    "How long to measure.",
    default=60_000,
    aliases=("--seconds",),
    environment=False,
)
@option(
    "warm.up.seconds",
    Duration("s"),
    "How long to run before that.",
    default=30_000,
    aliases=("--warm-up",),
    environment=False,
)
@option("checkpoint.interval.ms", Duration(low=100), "Checkpoint interval.", default=1_000, environment=False)
@output_option
def main(
    folder: str, duration_seconds: int, warm_up_seconds: int, checkpoint_interval_ms: int, output: Path | None
) -> None:
    """Measure how soon alerts can be seen."""
    seconds = duration_seconds / 1000
    arguments = ["--timeout.ms", "2000", "--evaluation.period.ms", "1000", "--reconnect.grace.ms", "0"]
    arguments += ["--out.of.orderness.ms", str(_BOUND_MS), "--checkpoint.interval.ms", str(checkpoint_interval_ms)]
    with live(layout(folder), *arguments) as run:
        run.submit()
        _speak(run, warm_up_seconds / 1000)
        listeners = [Listener(run.alerts_from_now(isolation)) for isolation in _ISOLATIONS]
        for listener in listeners:
            listener.start()
        rate = _speak(run, seconds)
        for listener in listeners:
            listener.running = False
            listener.join()
    text = f"{rate:,.0f} records/s for {seconds:g} s, checkpoints every {checkpoint_interval_ms:,} ms; {machine()}.\n\n"
    publish(text + _table(listeners), output, "latency")


def _table(listeners: list[Listener]) -> str:
    lines = ["| seen by | alert | alerts | p50, ms | p99, ms |", "| --- | --- | ---: | ---: | ---: |"]
    for isolation, listener in zip(_ISOLATIONS, listeners, strict=True):
        for state, latencies in sorted(listener.latencies_ms.items()):
            percentiles = statistics.quantiles(latencies, n=100)
            figures = f"{len(latencies):,} | {percentiles[49]:,.0f} | {percentiles[98]:,.0f}"
            lines.append(f"| {isolation} | {state} | {figures} |")
    return "\n".join(lines)


def _speak(run: Live, seconds: float) -> float:
    """Send what the fleet says, at its own pace; returns records a second."""
    producer = run.producer()
    sent, begun = 0, time.monotonic()
    per_step = _DEVICES * _STEP_MS // 500
    step = 0
    while (ahead := begun + step * _STEP_MS / 1000 - time.monotonic()) < seconds and step * _STEP_MS < seconds * 1000:
        if ahead > 0:
            time.sleep(ahead)
        ts_ms = now_ms()
        for device in range(step * per_step, (step + 1) * per_step):
            number = device % _DEVICES
            if (ts_ms + number * _CYCLE_MS // _DEVICES) % _CYCLE_MS < _CYCLE_MS // 2:
                run.produce(producer, number, ts_ms)
                sent += 1
        producer.poll(0)
        step += 1
    producer.flush()
    return sent / (time.monotonic() - begun)
