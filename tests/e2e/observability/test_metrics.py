"""Every metric that the documentation names is shown by a job that runs, and moves when what it counts happens."""

import re
import time
from pathlib import Path

import pytest

from generator.payloads.records import Record
from tests.e2e.support.embedded import EmbeddedStack
from tests.e2e.support.jobs import Inactivity, inactivity
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

CONTRACT = Path("docs/contracts.md")
PREFIX = "flink_taskmanager_job_task_operator_"
QUICK = ("--timeout.ms", "6000", "--evaluation.period.ms", "2000", "--reconnect.grace.ms", "8000")
RULES = "rules:\n  - {kind: threshold, id: warm, metric: temperature_c, above: {warning: 30}}\n"
LOST = f"{PREFIX}partition_fleetpulse_records_lost"  # shown as 0; tests/e2e/kafka/test_data_loss.py sees it move
OUTAGE_MS = 8_000  # longer than a gap in ticks may be


def documented() -> set[str]:
    """The metrics of the deciding jobs, by the names that Prometheus has for them."""
    names = set()
    for cell, meaning in re.findall(
        r"^\| (`fleetpulse_(?!generator_).*?) \| (.*) \|$", CONTRACT.read_text(), re.MULTILINE
    ):
        labels = re.search(r"the name has `(\w+)` before it", meaning)
        names |= {f"{PREFIX}{labels[1] if labels else ''}{name}" for name in re.findall(r"`(\w+)`", cell)}
    return names


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def reading(device: str, at_ms: int, temperature: float = 20.0) -> Record:
    value = f'{{"device_id":"{device}","ts":{at_ms},"temperature_c":{temperature}}}'.encode()
    return Record(at_ms, device.encode(), value, at_ms)


def largest(stack: EmbeddedStack, job_id: str, seen: dict[str, float]) -> dict[str, float]:
    """The largest value that each metric of a job of ours has shown so far; brings `seen` up to date."""
    for name, labels, value in re.findall(
        rf"^({PREFIX}\w*fleetpulse_\w+)\{{(.*)\}} (\S+)$", stack.metrics(), re.MULTILINE
    ):
        if f'job_id="{job_id}"' in labels:
            seen[name] = max(float(value), seen.get(name, 0.0))
    return seen


def everything_happens(job: Inactivity) -> None:
    """Send what each metric counts, but for an outage: one falls silent, one is too warm, late, bad; bad rules."""
    at_ms = now_ms()
    late = reading("warm", at_ms - 3_600_000)
    bad, bare = Record(at_ms, b"bad", b"{", at_ms), Record(at_ms, b"bare", b'{"device_id":"bare"}', at_ms)
    job.write([reading("warm", at_ms, 40.0), reading(f"silent-{at_ms}", at_ms), late, bad, bare])
    job.write([Record(at_ms, b"rules", b"no set of rules", at_ms)], job.rules_topic)


def test_every_documented_metric_of_a_running_job_shows_what_happens(stack: EmbeddedStack, tmp_path: Path) -> None:
    job = inactivity(stack, partitions=1, job="monitor")
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    seen: dict[str, float] = {}
    with job.running(*QUICK, "--idle.timeout.ms", "3000", "--rules", str(rules)) as running:

        def still() -> set[str]:
            largest(stack, running.id, seen)
            return {name for name in documented() if not seen.get(name) and not (name == LOST and name in seen)}

        held = f"{PREFIX}fleetpulse_shards_held"

        def shown_but_for_the_outage() -> bool:
            everything_happens(job)
            return _only(still(), {held})

        wait_until("all but an outage to have been shown", shown_but_for_the_outage)
        with stack.stopped("kafka"):
            back_ms = now_ms() + OUTAGE_MS
            wait_until("the broker to have been away", lambda: now_ms() >= back_ms)
        wait_until("an outage to have been shown", lambda: _only(still(), set()))
        assert seen.keys() == documented()


def _only(left: set[str], expected: set[str]) -> bool:
    """Whether no others are left; fails with those that are."""
    assert left <= expected, sorted(left)
    return True
