"""One simulation, from the first wait for Kafka to the truth file."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click

from fleetpulse.kafka.broker import reach
from generator.payloads.records import Record
from generator.payloads.stream import decided_until, records
from generator.scenario import Scenario
from generator.sending.interrupt import Stop, on_signals
from generator.sending.metrics import NOWHERE, Address, Meter, served
from generator.sending.pace import paced
from generator.sending.produce import Sender, producer, wait_for_kafka
from generator.sending.progress import display
from generator.sending.stall import StallWatch
from generator.truth.alerts import Truth
from generator.truth.file import Spool, lines, spool, write

Stream = Callable[[Scenario, Truth | None, Callable[[], bool]], Iterator[Record]]
"""Makes records of a scenario, as `generator.payloads.stream.records` does."""


class Outcome(NamedTuple):
    """The outcome of a simulation."""

    acknowledged: int = 0
    failed: int = 0
    first_failure: str | None = None
    seconds: float = 0.0  # from the first record to the last acknowledgement
    interrupted: bool = False


def run(
    scenario: Callable[[], Scenario],
    bootstrap: str,
    topic: str,
    prepare: Callable[[], object],
    truth_path: Path | None = None,
    stream: Stream = records,
    metrics: Address = NOWHERE,
) -> Outcome:
    """Simulate into Kafka until the scenario ends or a signal asks to stop.

    Args:
        scenario: makes the scenario once Kafka answers, so that a start of "now" is not spent waiting.
        bootstrap: Kafka's addresses.
        topic: where the records go.
        prepare: called once Kafka answers; makes the topic.
        truth_path: where the truth file goes; None for none.
        stream: makes the scenario's records.
        metrics: where Prometheus finds the simulation's figures.

    Raises:
        ConfigurationError: nothing names a broker, or none answers.
        FleetpulseError: Kafka refuses us, or the truth file cannot be written.
    """
    meter = Meter(_now_ms)
    with contextlib.ExitStack() as stack:
        stack.enter_context(served(meter, metrics))
        stop = stack.enter_context(on_signals())
        spooled = stack.enter_context(spool(truth_path)) if truth_path else None
        client = producer(reach(bootstrap))
        if not wait_for_kafka(client, StallWatch(bootstrap, time.time, _say), stop):
            return Outcome(interrupted=True)
        prepare()
        plan = scenario()
        truth = Truth(plan, spooled.tell) if spooled else None
        shown = stack.enter_context(display(plan))
        sender = Sender(client, topic, StallWatch(bootstrap, time.time, shown.say), stop, shown.update)
        meter.watch(sender, plan)
        seconds = _send(stream(plan, truth, stop.asked), sender, meter, stop, shown.say)
        if truth_path and spooled and truth:
            _write_truth(truth_path, plan, truth, spooled, sender, stop)
        return Outcome(sender.acknowledged, sender.failed, sender.first_failure, seconds, stop.asked())


def _send(made: Iterator[Record], sender: Sender, meter: Meter, stop: Stop, say: Callable[[str], object]) -> float:
    def wait(seconds: float) -> None:
        meter.on_time()
        sender.serve(seconds)

    began = time.monotonic()
    for record in paced(made, _now_ms, wait, stop.asked):
        sender.send(record)
    if stop.asked():
        say("stopping: waiting for Kafka to acknowledge what is on its way; interrupt again to give it up")
    sender.finish()
    return time.monotonic() - began


def _write_truth(path: Path, plan: Scenario, truth: Truth, spooled: Spool, sender: Sender, stop: Stop) -> None:
    until_ms = decided_until(plan, truth.taken_until_ms if stop.asked() else plan.end_ms)
    if sender.earliest_failed_ms is not None:
        until_ms = min(until_ms, sender.earliest_failed_ms - 1)
    truth.close(until_ms)
    write(path, lines(plan, truth, spooled.revisions(), until_ms, sender.acknowledged))


def _now_ms() -> float:
    return time.time() * 1000


def _say(text: str) -> None:
    click.echo(text, err=True)
