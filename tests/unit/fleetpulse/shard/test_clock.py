"""Ticks say whether we were away."""

from fleetpulse.shard.clock import Broker, BrokerClock, TickClock, TickPolicy

POLICY = TickPolicy(gap_ms=5_000, reconnect_grace_ms=30_000)


def after(*ticks_ms: int) -> TickClock:
    clock = TickClock()
    for tick_ms in ticks_ms:
        clock = clock.after(tick_ms, POLICY)
    return clock


def test_a_fresh_clock_is_not_held():
    assert after(1_000_000).held_until_ms is None


def test_a_gap_of_exactly_the_limit_holds_nothing():
    assert after(0, 5_000).held_until_ms is None


def test_a_longer_gap_holds_decisions_for_the_grace():
    assert after(0, 5_001).held_until_ms == 35_001


def test_decisions_go_on_with_the_first_tick_at_the_end_of_the_grace():
    steady = range(5_001, 35_001, 4_000)
    assert after(0, *steady).held_until_ms == 35_001
    assert after(0, *steady, 35_001).held_until_ms is None


def test_a_second_gap_during_the_grace_starts_it_again():
    assert after(0, 10_000, 20_000).held_until_ms == 50_000


def test_ticks_read_again_after_a_restore_change_nothing():
    clock = after(0, 1_000, 2_000)
    assert clock.after(500, POLICY).after(1_500, POLICY) == clock


def broker_clock(*ticks: tuple[int, float]) -> BrokerClock:
    clock = BrokerClock(ahead_ms=60_000)
    for tick_ms, at_s in ticks:
        clock.tick(tick_ms, at_s)
    return clock


STEADY = [(n * 1_000, 100.0 + n) for n in range(8)]


def test_the_brokers_clock_is_known_once_ticks_have_come_steadily():
    assert broker_clock(*STEADY[:5]).read(104.5) is None
    assert broker_clock(*STEADY).read(107.5) == Broker(7_000, 67_000)


def test_it_is_unknown_without_ticks_and_when_they_stop():
    assert broker_clock().read(0.0) is None
    assert broker_clock(*STEADY).read(109.1) is None


def test_ticks_read_again_after_a_restart_tell_nothing():
    again = [(n * 200, 100.0 + n / 1_000) for n in range(3_000)]
    assert broker_clock(*again).read(103.1) is None
    then = [(700_000 + n * 200, 104.0 + n / 5) for n in range(20)]
    assert broker_clock(*again, *then).read(108.0) == Broker(703_800, 763_800)


def test_after_a_pause_they_must_come_steadily_again():
    resumed = [(600_000 + n * 1_000, 700.0 + n) for n in range(8)]
    assert broker_clock(*STEADY, *resumed[:3]).read(702.5) is None
    assert broker_clock(*STEADY, *resumed).read(707.0) == Broker(607_000, 667_000)
