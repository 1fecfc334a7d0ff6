"""What statistics of four metrics cost a device: `python -m bench memory`. One shard in this process, no cluster."""

import os
import tracemalloc
from pathlib import Path

import click
import psutil

from bench.report import count_option, machine, output_option, publish
from bench.topic import START_MS
from fleetpulse.frames.frame import Batch, arrivals_of, pack
from fleetpulse.frames.order import PartitionOrder
from fleetpulse.records.batch import decode_batch
from fleetpulse.rules.kinds.deviation import Deviation
from fleetpulse.rules.kinds.rate import Rate
from fleetpulse.rules.levels import Levels
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.versions import Version
from fleetpulse.shard.readings import ReadingPolicy
from fleetpulse.shard.shard import Shard, ShardPolicy

_METRICS = ("temperature_c", "humidity", "lat", "lon")
_BATCH = 50_000
_ROUNDS = 2  # the first makes every device known, the second gives it rates


def rules() -> RuleSet:
    """A rate and a deviation of each metric."""
    rates = [Rate(id=f"{metric}-rate", metric=metric, above=Levels(critical=1e9)) for metric in _METRICS]
    unusual = [Deviation(id=f"{metric}-unusual", metric=metric, sigmas=Levels(critical=9)) for metric in _METRICS]
    return RuleSet((*rates, *unusual))


def filled(devices: int) -> tuple[Shard, dict[int, bytes]]:
    """A shard that knows so many devices, and all that it has written into keyed state and not removed again."""
    versions = (Version(1, 0, rules()),)
    shard = Shard(ShardPolicy(("telemetry",), 1, None, ReadingPolicy(evaluate_rules=True), versions), 0, {})
    state: dict[int, bytes] = {}
    order = PartitionOrder(2_000)
    for start in range(0, devices * _ROUNDS, _BATCH):
        ts_ms = START_MS + start // devices * 60_000 + start
        numbers = [number % devices for number in range(start, min(start + _BATCH, devices * _ROUNDS))]
        many = len(numbers)
        values = [_value(number, ts_ms) for number in numbers]
        batch = Batch([0] * many, range(start, start + many), [ts_ms] * many, [None] * many, values)
        decoded = decode_batch(values, batch.kafka_times_ms, 60_000)
        shard.accept(pack(batch, decoded, arrivals_of(batch, decoded, order), 1)[0])
        shard.advance(ts_ms)
        writes = shard.take_writes()
        state |= writes.puts
        for key in writes.removals:
            state.pop(key, None)
    return shard, state


def _value(number: int, ts_ms: int) -> bytes:
    # Ids that look like serial numbers, as in `bench.live`.
    serial = number * 0x9E3779B97F4B % (1 << 48)
    measured = (20 + number % 97 / 10, 40 + number % 89 / 10, 48 + number / 1e7, 11 + number / 1e7)
    return b'{"device_id":"d%012x","ts":%d,"temperature_c":%.1f,"humidity":%.1f,"lat":%.5f,"lon":%.5f}' % (
        serial,
        ts_ms,
        *measured,
    )


@click.command(context_settings={"show_default": True})
@count_option("devices", 1_000, 200_000, "Devices to know.")
@output_option
def main(devices: int, output: Path | None) -> None:
    """Measure memory and state of a device with statistics of four metrics."""
    process = psutil.Process(os.getpid())
    before = process.memory_info().rss
    shard, state = filled(devices)
    resident = process.memory_info().rss - before
    del shard
    tracemalloc.start()
    shard, _ = filled(devices)
    allocated, _ = tracemalloc.get_traced_memory()
    del shard
    written = sum(map(len, state.values()))
    figures = {
        "bytes a device in a worker, allocated": allocated / devices,
        "bytes a device in a worker, resident, with what decoding left behind": resident / devices,
        "bytes a device in keyed state": written / devices,
    }
    lines = [f"{devices:,} devices in one shard, a rate and a deviation of each of four metrics; {machine()}.", ""]
    lines += ["| | |", "| --- | ---: |", *(f"| {what} | {figure:,.0f} |" for what, figure in figures.items())]
    publish("\n".join(lines), output, "memory")
