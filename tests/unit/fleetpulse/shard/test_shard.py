"""A shard decides the same however its records arrive, and whatever happens to its process."""

import random
from dataclasses import replace

import pytest

from fleetpulse.alerts import AlertState, Revision
from fleetpulse.errors import ConfigurationError
from fleetpulse.frames.frame import Original, Rejected, excuse
from fleetpulse.inactivity.timeouts import InactivityPolicy
from fleetpulse.records.reasons import Reason
from fleetpulse.shard.clock import END_OF_INPUT_MS
from fleetpulse.shard.shard import Late, Shard, ShardPolicy
from tests.unit.fleetpulse.shard.keyed import Keyed

T0 = 1_767_225_600_000
BOUND_MS = 2_000
POLICY = ShardPolicy(("events",), shards=1, inactivity=InactivityPolicy())


def record(device: str, at_ms: int, *, offset: int = 0, partition: int = 0, kafka_ms: int | None = None) -> Original:
    """A telemetry record; times relative to T0."""
    value = f'{{"device_id":"{device}","ts":{T0 + at_ms}}}'.encode()
    kafka_time_ms = T0 + (at_ms if kafka_ms is None else kafka_ms)
    return Original(partition, offset, kafka_time_ms, device.encode(), value)


def history(seed: int) -> list[Original]:
    """Ten minutes of 20 devices that fall silent and come back, one ahead, one that sends rubbish."""
    rng = random.Random(seed)
    records = []
    for i in range(20):
        at, silent_until = rng.randrange(0, 10_000), 0
        while at < 600_000:
            if at >= silent_until:
                if rng.random() < 0.05:
                    silent_until = at + rng.randrange(40_000, 200_000)
                elif i == 1:
                    records.append(record(f"d{i}", at + 86_400_000, kafka_ms=at))
                elif i == 2 and rng.random() < 0.5:
                    value = f'{{"device_id":"d{i}","ts":{T0 + at},"humidity":"wet"}}'.encode()
                    records.append(Original(0, 0, T0 + at, None, value))
                else:
                    records.append(record(f"d{i}", at))
            at += rng.randrange(2_000, 9_000)
    records.sort(key=lambda r: r.kafka_time_ms)
    return records


def shuffled(records: list[Original], rng: random.Random) -> list[Original]:
    """Another arrival order within the bound."""
    return sorted(records, key=lambda r: r.kafka_time_ms + rng.randrange(0, BOUND_MS))


def run(records, policy, rng, restart_probability=0.0) -> Keyed:
    keyed, highest_ms, at = Keyed(policy), 0, 0
    while at < len(records):
        batch = records[at : at + rng.randrange(1, 60)]
        at += len(batch)
        keyed.accept(batch)
        if rng.random() < restart_probability:
            keyed.restart()
        highest_ms = max(highest_ms, *(r.kafka_time_ms for r in batch))
        if rng.random() < 0.7:
            keyed.advance(highest_ms - BOUND_MS - 1)
        if rng.random() < restart_probability:
            keyed.restart()
    keyed.advance(T0 + 600_000)
    return keyed


@pytest.mark.parametrize("seed", range(25))
def test_order_batches_shards_and_restarts_change_no_alert(seed):
    rng = random.Random(seed)
    records = history(seed)
    plain = run(records, POLICY, random.Random(0))
    assert plain.alerts()
    for shards in (1, 4, 16):
        other = run(shuffled(records, rng), replace(POLICY, shards=shards), rng, restart_probability=0.2)
        assert other.alerts() == plain.alerts()
        assert not [o for o in other.outputs if isinstance(o, Late)]


def test_each_record_has_one_outcome_and_read_is_their_sum():
    keyed = Keyed(POLICY)
    rubbish = Original(0, 2, T0, b"k", b"rubbish")
    keyed.accept([record("d1", 10_000, offset=0), record("d2", 10_000, offset=1, partition=3), rubbish])
    keyed.advance(T0 + 10_000)
    keyed.accept([record("d1", 9_000, offset=3)])
    assert keyed.counts() == (4, 2, 1, 1)
    assert {name: count.next_offset for name, count in keyed.shard(0).counts.items()} == {"events:0": 4, "events:3": 2}
    (rejected,) = [o for o in keyed.outputs if isinstance(o, Rejected)]
    assert (rejected.reason, rejected.original) == (Reason.MALFORMED, rubbish)


def test_a_late_record_leaves_with_its_bytes_and_says_how_late_it_was():
    keyed = Keyed(POLICY)
    keyed.accept([record("d1", 10_000)])
    keyed.advance(T0 + 12_000)
    late = record("d1", 9_500, offset=7, kafka_ms=11_000)
    keyed.accept([late, record("d1", 12_001, offset=8)])
    assert [o for o in keyed.outputs if isinstance(o, Late)] == [Late(late, 2_500)]


def test_a_record_just_after_what_is_decided_is_on_time():
    keyed = Keyed(POLICY)
    keyed.accept([record("d1", 10_000)])
    keyed.advance(T0 + 12_000)
    keyed.accept([record("d1", 12_001)])
    assert keyed.counts() == (2, 2, 0, 0)


def test_counts_survive_a_restart():
    keyed = Keyed(POLICY)
    keyed.accept([record("d1", 0), Original(0, 1, T0, None, None)])
    keyed.restart()
    keyed.accept([record("d1", 1, offset=2)])
    assert keyed.counts() == (3, 2, 0, 1)


def test_a_clock_that_is_24_hours_ahead_makes_nobody_late_and_counts_as_life():
    keyed = Keyed(POLICY)
    for second in range(0, 300, 5):
        keyed.accept([record("ahead", second * 1000 + 86_400_000, kafka_ms=second * 1000), record("d1", second * 1000)])
        keyed.advance(T0 + second * 1000 - BOUND_MS - 1)
    assert {r.kind for r in keyed.outputs if isinstance(r, Revision)} == {"clock"}
    assert len(keyed.alerts()) == 1
    assert keyed.counts() == (120, 60, 0, 60)


def test_a_gap_in_ticks_delays_decisions_and_changes_none():
    keyed = Keyed(POLICY)
    keyed.tick(T0)
    keyed.accept([record("d1", 0), record("dead", 0)])
    keyed.advance(T0)
    keyed.restart()
    keyed.tick(T0 + 600_000)  # ten minutes away; d1 kept sending, its records come now
    keyed.advance(T0 + 598_000)
    assert keyed.alerts() == []
    keyed.accept([record("d1", second * 1000) for second in range(10, 600, 10)])
    for at_ms in range(601_000, 630_001, 1_000):
        keyed.tick(T0 + at_ms)
    keyed.advance(T0 + 598_000)
    assert [(r.device_id, r.state) for r in keyed.outputs if isinstance(r, Revision)] == [("dead", AlertState.OPEN)]
    assert keyed.counts()[2] == 0


def test_a_restart_during_the_grace_keeps_it():
    keyed = Keyed(POLICY)
    keyed.tick(T0)
    keyed.accept([record("d1", 0)])
    keyed.tick(T0 + 100_000)
    keyed.restart()
    keyed.advance(T0 + 98_000)
    assert keyed.alerts() == []


def test_the_end_of_input_decides_what_waits_but_no_instant_after_the_last_watermark():
    keyed = Keyed(POLICY)
    keyed.accept([record("d1", 0), record("d2", 95_000)])
    keyed.advance(T0 + 93_000)
    keyed.accept([record("d1", 500_000)])
    keyed.advance(END_OF_INPUT_MS)
    (opened, recovered) = keyed.outputs
    assert (opened.device_id, opened.state) == ("d1", AlertState.OPEN)
    assert (recovered.device_id, recovered.state) == ("d1", AlertState.RECOVERED)
    assert keyed.shard(0).life.watch.known == 2


def test_a_shard_wakes_for_waiting_signs_and_for_the_next_instant():
    keyed = Keyed(POLICY)
    keyed.accept([record("d1", 1_050)])
    shard = keyed.shard(0)
    assert shard.next_timer_ms(T0) == T0 + 1_100
    keyed.advance(T0 + 1_100)
    assert shard.next_timer_ms(T0 + 1_100) == T0 + 90_000
    assert shard.next_timer_ms(END_OF_INPUT_MS) is None


def test_another_number_of_shards_is_refused_with_one_line():
    keyed = Keyed(POLICY)
    keyed.accept([record("d1", 0)])
    with pytest.raises(ConfigurationError, match="made with 1 shards; restore it with --shards 1"):
        Shard(replace(POLICY, shards=8), 0, keyed.state[0])


def test_state_stays_small_however_long_a_device_speaks():
    keyed = Keyed(POLICY)
    for second in range(20_000):
        keyed.accept([record(f"d{i}", second * 1000) for i in range(20)])
        keyed.advance(T0 + second * 1000 - BOUND_MS)
    assert sum(map(len, keyed.state[0].values())) < 100_000
    assert len(keyed.state[0]) < 1_500


def test_lost_records_accuse_nobody_whatever_happens_to_the_process() -> None:
    keyed = Keyed(POLICY)
    keyed.accept([record("alive", 0), record("dead", 0)])
    keyed.advance(T0 + 1_000)
    keyed.outputs += keyed.shard(0).accept(excuse(T0 + 3_600_000))
    keyed._write(0)
    keyed.restart()
    keyed.accept([record("alive", 3_630_000, offset=400), record("alive", 3_690_000, offset=401)])
    keyed.advance(T0 + 3_700_000)
    assert [(r.device_id, r.opened_at_ms - T0) for r in keyed.outputs] == [("dead", 3_690_000)]
