"""A scenario as a stream of records, with or without its truth. For tests and benchmarks, no Kafka is needed."""

from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Protocol

from generator.fleet.plan import Reading, in_transit, readings
from generator.payloads.records import Record, encoder
from generator.scenario import Scenario


class Observer(Protocol):
    """A truth, of any kind."""

    def observe(self, reading: Reading) -> None:
        """Take in a reading."""


def records(
    scenario: Scenario, truth: Observer | None = None, stopped: Callable[[], bool] | None = None
) -> Iterator[Record]:
    """Yield the records of `scenario` in the order in which they are sent; the same scenario gives the same bytes.

    Args:
        scenario: what to simulate.
        truth: takes in every reading whose record is yielded; the caller closes it with `decided_until`.
        stopped: asked before each reading. Once it says True no more are taken, and what is on its way follows.
    """
    taken = readings(scenario)
    if stopped is not None:
        taken = takewhile(lambda _: not stopped(), taken)
    if truth is not None:
        taken = _observed(taken, truth)
    encode = encoder(scenario)
    for send_ms, reading in in_transit(taken, scenario):
        yield encode(send_ms, reading)


def decided_until(scenario: Scenario, taken_until_ms: int) -> int:
    """Return the last instant (epoch ms) whose alerts all readings before `taken_until_ms` decide.

    It is the watermark that a reading at that time makes. A heartbeat after it cannot change what is before it.
    """
    return taken_until_ms - scenario.bound_ms - 1


def _observed(taken: Iterator[Reading], truth: Observer) -> Iterator[Reading]:
    for reading in taken:
        truth.observe(reading)
        yield reading
