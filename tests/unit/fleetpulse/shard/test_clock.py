"""Ticks say whether we were away."""

from fleetpulse.shard.clock import TickClock, TickPolicy

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
