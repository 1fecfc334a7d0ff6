"""What a run costs: samples of records, CPU and memory while it goes, and the figures that come of them."""

import statistics
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a running contender. Seconds since submission, records read and CPU seconds used so far."""

    seconds: float
    records: int
    cpu_seconds: float
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Result:
    """Figures of one run."""

    steady_per_second: float
    from_submission_per_second: float
    cpu_seconds_per_million: float
    peak_rss_mib: float
    alerts: int


def summarize(samples: Sequence[Sample], records: int, seconds: float, alerts: int) -> Result:
    """Figures of one run.

    Args:
        samples: in the order of time, the last one after the end.
        records: how many there were to read.
        seconds: from submission to end.
        alerts: how many were opened.
    """
    begun, ended = (_reached(samples, share * records) for share in (0.2, 0.9))
    return Result(
        0.7 * records / (ended - begun) if ended > begun else float("nan"),
        records / seconds,
        samples[-1].cpu_seconds / (records / 1e6),
        max(sample.rss_bytes for sample in samples) / _MIB,
        alerts,
    )


def _reached(samples: Sequence[Sample], records: float) -> float:
    """When so many records had been read, on a straight line between the samples around that moment."""
    before = samples[0]
    for sample in samples:
        if sample.records >= records and sample.records > before.records:
            share = (records - before.records) / (sample.records - before.records)
            return before.seconds + share * (sample.seconds - before.seconds)
        # Counters of a cluster are refreshed once in a while: a line begins at the first sample with its value.
        if sample.records != before.records:
            before = sample
    return samples[-1].seconds


def spread(values: Iterable[float]) -> tuple[float, float, float]:
    """Median, lowest and highest."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[0], ordered[-1]


class Usage:
    """CPU seconds and memory of a changing set of processes, from now on. What ended keeps what it had used."""

    def __init__(self, running: Iterable[psutil.Process]) -> None:
        self._before: dict[psutil.Process, float] = {}
        for process in running:
            with suppress(psutil.Error):  # what worked for the contender before may just be ending
                self._before[process] = _cpu_seconds(process)
        self._used: dict[psutil.Process, float] = {}

    def look(self, running: Iterable[psutil.Process]) -> tuple[float, int]:
        """Return CPU seconds used since the start, and bytes of memory held now."""
        rss_bytes = 0
        for process in running:
            try:
                self._used[process] = _cpu_seconds(process) - self._before.get(process, 0.0)
                rss_bytes += process.memory_info().rss
            except psutil.Error:
                continue  # it ended between being listed and being looked at
        return sum(self._used.values()), rss_bytes


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def families(parents: Iterable[psutil.Process]) -> list[psutil.Process]:
    """These processes and all their descendants."""
    members: dict[psutil.Process, None] = {}
    for parent in parents:
        try:
            members |= dict.fromkeys([parent, *parent.children(recursive=True)])
        except psutil.Error:
            continue
    return list(members)
