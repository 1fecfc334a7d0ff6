from dataclasses import replace
from hashlib import sha256
from itertools import islice

import msgspec
import pytest

from generator.fleet.plan import Fault, readings
from generator.payloads.stream import decided_until, records
from generator.scenario import Dialect
from generator.truth.alerts import Truth
from tests.unit.generator.fleets import FAULTY, START_MS

EVERY_FAULT = replace(
    FAULTY,
    devices=20,
    duration_ms=60_000,
    timeout_ms=6_000,
    period_ms=3_000,
    site_outage_ms=10_000,
    clock_ahead_devices=1,
    clock_behind_devices=1,
)


def simulated(scenario):
    revisions = []
    truth = Truth(scenario, revisions.append)
    stream = list(records(scenario, truth))
    truth.close(decided_until(scenario, scenario.end_ms))
    return stream, revisions, truth.order_dependent, truth.rejected


def test_the_same_seed_makes_the_same_bytes_and_the_same_truth():
    assert simulated(FAULTY) == simulated(FAULTY)


@pytest.mark.parametrize(
    ("dialect", "digest"),
    [
        (Dialect.EVENT, "0bcbab2d482cda03a013d4cd5e7c96d3f756f1e612da9e81b952d8d77abcc808"),
        (Dialect.TELEMETRY, "253181bf1bfb385858ee370097dd261b07c3d5f6886f8d78ed2bf670737e47e3"),
    ],
)
def test_a_seed_makes_the_bytes_and_the_truth_it_always_made(dialect, digest):
    """Changed on purpose? Then say so in the changelog: seeds that people wrote down mean something else now."""
    scenario = replace(EVERY_FAULT, dialect=dialect)
    stream, revisions, *_ = simulated(scenario)

    assert {reading.fault for reading in readings(scenario)} == set(Fault)
    assert sha256(msgspec.json.encode([stream, revisions])).hexdigest() == digest


def test_another_seed_makes_another_stream_and_another_truth():
    (one, one_truth, *_), (other, other_truth, *_) = simulated(FAULTY), simulated(replace(FAULTY, seed=2))

    assert one != other
    assert one_truth != other_truth


def test_the_truth_does_not_depend_on_the_dialect_where_nothing_is_malformed():
    events = replace(FAULTY, malformed_rate=0.0)

    assert simulated(events)[1:] == simulated(replace(events, dialect=Dialect.TELEMETRY))[1:]


def test_every_record_is_counted_by_the_truth():
    truth = Truth(FAULTY, lambda _: None)

    assert len(list(records(FAULTY, truth))) == truth.sent


def test_stopping_takes_no_more_readings_but_sends_what_is_on_its_way():
    asked = []
    truth = Truth(FAULTY, lambda _: None)
    stream = records(FAULTY, truth, stopped=lambda: bool(asked))
    first = list(islice(stream, 5_000))
    taken_until_ms = truth.taken_until_ms
    asked.append("stop")
    rest = list(stream)

    assert truth.taken_until_ms == taken_until_ms
    assert len(first) + len(rest) == truth.sent
    assert 0 < len(rest) < 1_000


def test_what_a_record_at_the_end_s_watermark_can_still_change_is_not_claimed():
    # bound 2 s: the watermark of a reading at 10 s is 7.999 s
    assert decided_until(FAULTY, START_MS + 10_000) == START_MS + 7_999
