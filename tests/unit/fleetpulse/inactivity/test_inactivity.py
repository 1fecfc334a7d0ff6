"""When silence is an alert, to the millisecond.

0 s        60 s   60.001 s        90 s
|------------|------|---------------|--->
last record  active silent          the instant that says so
"""

import pickle
import random

import pytest

from fleetpulse.alerts import AlertState, Revision
from fleetpulse.inactivity.devices import Devices, SilentDevice
from fleetpulse.inactivity.timeouts import Heartbeat, InactivityPolicy, OpenSilence
from fleetpulse.inactivity.watch import InactivityWatch
from fleetpulse.rules.checks import check
from fleetpulse.rules.model import read
from fleetpulse.rules.versions import Version

T0 = 1_767_225_600_000  # a multiple of the evaluation period
TIMEOUT = 60_000
PERIOD = 30_000
POLICY = InactivityPolicy(TIMEOUT, PERIOD)


def signs(*times_ms: int, device: str = "d1") -> list[Heartbeat]:
    return [(T0 + at, device) for at in times_ms]


def told(revisions) -> list[tuple[str, int, int, int]]:
    """AlertState, revision, opened and changed, relative to T0."""
    return [(r.state, r.revision, r.opened_at_ms - T0, r.changed_at_ms - T0) for r in revisions]


def test_a_device_is_active_at_exactly_the_timeout():
    assert InactivityWatch(POLICY).advance(signs(0), T0 + 60_000) == []


def test_a_device_is_silent_one_millisecond_beyond_the_timeout():
    watch = InactivityWatch(POLICY)
    assert watch.advance(signs(-1), T0 + 59_999) == []
    assert told(watch.advance([], T0 + 60_000)) == [(AlertState.OPEN, 1, 60_000, 60_000)]


@pytest.mark.parametrize("last_seen", [0, 1, 15_000, 29_999])
def test_an_alert_falls_between_60001_and_90000_ms_after_the_last_record(last_seen):
    (alert,) = InactivityWatch(POLICY).advance(signs(last_seen), T0 + 10 * 60_000)
    assert 60_001 <= alert.opened_at_ms - (T0 + last_seen) <= 90_000
    assert alert.extra == {"device-id": "d1", "latest-event-time": T0 + last_seen}


def test_a_record_at_the_instant_does_not_count_for_it():
    assert told(InactivityWatch(POLICY).advance(signs(0, 90_000), T0 + 90_000)) == [
        (AlertState.OPEN, 1, 90_000, 90_000),
        (AlertState.RECOVERED, 2, 90_000, 90_000),
    ]


def test_a_record_one_millisecond_before_the_instant_counts():
    assert InactivityWatch(POLICY).advance(signs(0, 89_999), T0 + 90_000) == []


def test_records_after_an_instant_do_not_count_for_it_though_they_came_before_it_was_decided():
    assert told(InactivityWatch(POLICY).advance(signs(0, 90_001, 100_000), T0 + 100_000)) == [
        (AlertState.OPEN, 1, 90_000, 90_000),
        (AlertState.RECOVERED, 2, 90_000, 90_001),
    ]


def test_one_silence_is_one_alert_and_the_next_silence_another():
    revisions = InactivityWatch(POLICY).advance(signs(0, 200_000), T0 + 400_000)
    assert told(revisions) == [
        (AlertState.OPEN, 1, 90_000, 90_000),
        (AlertState.RECOVERED, 2, 90_000, 200_000),
        (AlertState.OPEN, 1, 270_000, 270_000),
    ]
    assert len({r.alert_id for r in revisions}) == 2


def test_late_evidence_that_it_had_not_been_silent_cancels_the_alert():
    watch = InactivityWatch(POLICY)
    watch.advance(signs(0), T0 + 91_000)
    assert told(watch.advance(signs(45_000), T0 + 91_000)) == [(AlertState.CANCELLED, 2, 90_000, 90_000)]


def test_a_late_record_from_after_the_instant_recovers():
    watch = InactivityWatch(POLICY)
    watch.advance(signs(0), T0 + 95_000)
    assert told(watch.advance(signs(92_000), T0 + 95_000)) == [(AlertState.RECOVERED, 2, 90_000, 92_000)]


def test_a_device_that_lags_by_more_than_the_timeout_does_not_flap():
    watch = InactivityWatch(POLICY)
    revisions = []
    for second in range(600):
        revisions += watch.advance(signs(second * 1000 - 24 * 3_600_000), T0 + second * 1000)
    assert told(revisions)[0][0] is AlertState.OPEN
    assert len(revisions) == 1


def test_a_record_exactly_the_timeout_behind_the_clock_still_ends_the_alert():
    for behind, ended in [(60_000, True), (60_001, False)]:
        watch = InactivityWatch(POLICY)
        watch.advance(signs(0), T0 + 100_000)
        assert bool(watch.advance(signs(100_000 - behind), T0 + 100_000)) is ended


def test_a_decided_instant_is_never_decided_again():
    watch = InactivityWatch(POLICY)
    watch.advance([], T0 + 300_000)
    assert told(watch.advance(signs(0), T0 + 300_000)) == []
    assert told(watch.advance([], T0 + 330_000)) == [(AlertState.OPEN, 1, 330_000, 330_000)]


def test_a_device_silent_for_long_is_forgotten_with_a_last_revision():
    watch = InactivityWatch(InactivityPolicy(TIMEOUT, PERIOD, forget_after_ms=300_000))
    assert told(watch.advance(signs(0), T0 + 3_600_000)) == [
        (AlertState.OPEN, 1, 90_000, 90_000),
        (AlertState.EXPIRED, 2, 90_000, 330_000),
    ]
    assert (watch.known, watch.silent, watch.next_instant_ms) == (0, 0, None)


def test_a_device_that_came_back_is_not_forgotten_by_its_old_silence():
    watch = InactivityWatch(InactivityPolicy(TIMEOUT, PERIOD, forget_after_ms=300_000))
    watch.advance(signs(0, 320_000), T0 + 340_000)
    assert (watch.known, watch.silent) == (1, 0)


def test_every_evaluation_reports_each_silent_device_as_well():
    watch = InactivityWatch(InactivityPolicy(TIMEOUT, PERIOD, report_every_evaluation=True))
    verdicts = watch.advance(signs(0, 130_000), T0 + 200_000)
    assert [v for v in verdicts if isinstance(v, SilentDevice)] == [SilentDevice("d1", T0)] * 2
    assert len([v for v in verdicts if isinstance(v, Revision)]) == 2


def test_reporting_goes_on_after_a_restore():
    policy = InactivityPolicy(TIMEOUT, PERIOD, report_every_evaluation=True)
    watch = InactivityWatch(policy, Devices(["d1"], [T0], {"d1": OpenSilence(T0 + 90_000, T0)}), T0 + 90_000)
    assert watch.advance([], T0 + 150_000) == [SilentDevice("d1", T0)] * 2


def test_a_silent_fleet_raises_an_alert_for_each_device():
    fleet = [(T0 + i, f"d{i}") for i in range(1000)]
    revisions = InactivityWatch(POLICY).advance(fleet, T0 + 120_000)
    assert {r.device_id for r in revisions} == {f"d{i}" for i in range(1000)}


def reference(times_ms: list[int], until_ms: int) -> list[tuple[AlertState, int, int, int]]:
    """The rule of the design, written as it reads: each instant looks at all seen times before it."""
    told, opened_ms = [], None
    events = [(at, 1) for at in times_ms] + [(at, 0) for at in range(PERIOD, until_ms + 1, PERIOD)]
    for at, is_record in sorted(events):
        if is_record and opened_ms is not None:
            told.append((AlertState.RECOVERED, 2, opened_ms, at))
            opened_ms = None
        elif not is_record and opened_ms is None:
            before = [t for t in times_ms if t < at]
            if before and at - max(before) > TIMEOUT:
                opened_ms = at
                told.append((AlertState.OPEN, 1, at, at))
    return told


@pytest.mark.parametrize("seed", range(40))
def test_any_history_in_any_batches_gives_what_the_rule_says(seed):
    rng = random.Random(seed)
    near = [k * PERIOD + d for k in range(12) for d in (-1, 0, 1, 7)]
    times = sorted(
        {rng.choice(near) if rng.random() < 0.5 else rng.randrange(0, 360_000) for _ in range(rng.randrange(1, 9))}
    )
    times = [t for t in times if t > 0]
    watch, revisions, left, clock = InactivityWatch(POLICY), [], signs(*times), 0
    while clock < 400_000:
        clock = min(400_000, clock + rng.choice([1, 50, 999, 30_000, 95_000]))
        due = [s for s in left if s[0] <= T0 + clock]
        left = left[len(due) :]
        revisions += watch.advance(due, T0 + clock)
    assert told(revisions) == reference(times, 400_000)


def test_no_alert_is_stuck_in_a_million_interleavings_around_the_deadline():
    """Once a device speaks with a time within the timeout of the clock, its open alert has exactly one end.

    A device is silent; a record comes within 50 ms of the deadline or of an instant, before or after the clock has
    passed it, on time or late; then a last one that is recent: of every other device on time, of the rest late by up to
    the timeout.
    """
    rng = random.Random(20261121)
    states = set()
    for _ in range(1_000_000 // 40):
        states |= _interleave(rng, devices=40)
    assert states == {AlertState.OPEN, AlertState.RECOVERED, AlertState.CANCELLED}


def _interleave(rng: random.Random, devices: int) -> set[AlertState]:
    names = [f"d{i}" for i in range(devices)]
    watch = InactivityWatch(POLICY)
    first = {name: T0 + rng.randrange(0, PERIOD) for name in names}
    revisions = watch.advance(sorted((at, name) for name, at in first.items()), T0 + PERIOD)
    edge = T0 + rng.choice([60_000, 90_000, 120_000, 150_000])
    clock = edge + rng.randrange(-50, 51)
    records = {name: rng.choice([edge, first[name] + TIMEOUT]) + rng.randrange(-50, 51) for name in names}
    on_time = sorted((at, name) for name, at in records.items() if rng.random() < 0.5 and at <= clock)
    revisions += watch.advance(on_time, clock)
    clock += rng.randrange(0, 100)
    revisions += watch.advance([], clock)
    late = sorted((at, name) for name, at in records.items() if at <= clock)
    revisions += watch.advance(late, clock)
    last = clock + 1 + rng.randrange(0, TIMEOUT)
    revisions += watch.advance([(last, name) for name in names[::2]], last)
    revisions += watch.advance(sorted((last - rng.randrange(0, TIMEOUT + 1), name) for name in names[1::2]), last)
    assert watch.silent == 0
    return _check_lifecycles(revisions)


def _check_lifecycles(revisions) -> set[AlertState]:
    """Each alert has its one end; returns the states there were."""
    lifecycles: dict = {}
    for revision in revisions:
        lifecycles.setdefault((revision.device_id, revision.opened_at_ms), []).append(revision)
    for lifecycle in lifecycles.values():
        assert [r.revision for r in lifecycle] == [1, 2]
        assert lifecycle[0].state is AlertState.OPEN
        assert lifecycle[1].state in (AlertState.RECOVERED, AlertState.CANCELLED)
    return {revision.state for revision in revisions}


def test_a_device_that_flaps_for_a_week_costs_no_more_than_one_that_did_so_twice():
    watch = InactivityWatch(InactivityPolicy())
    sizes = []
    for silence in range(3_000):
        opened, ended = (
            watch.advance([(T0 + silence * 120_000, "d1")], T0 + silence * 120_000 + 100_000) for _ in "ab"
        )
        assert len(opened) + len(ended) <= 2
        sizes.append(len(pickle.dumps(watch)))
    assert sizes[-1] <= sizes[2]


def test_a_device_that_flapped_is_still_forgotten_when_it_is_time():
    policy = InactivityPolicy(forget_after_ms=600_000)
    watch = InactivityWatch(policy)
    for silence in range(10):
        watch.advance([(T0 + silence * 120_000, "d1")], T0 + silence * 120_000 + 100_000)
    last_seen_ms = T0 + 9 * 120_000
    assert watch.advance([], policy.forgotten_at(last_seen_ms) - 1) == []
    [expired] = watch.advance([], policy.forgotten_at(last_seen_ms))
    assert (expired.state, watch.known) == (AlertState.EXPIRED, 0)


def test_an_alert_lasts_for_the_timeout_once_more_however_early_its_device_would_be_forgotten():
    """The timeout of the rule is 8 days, and a device is forgotten after 7."""
    day_ms = 86_400_000
    rule = {"kind": "inactivity", "id": "weekly", "timeout": "8d", "scope": {"devices": ["meter-*"]}}
    watch = InactivityWatch(InactivityPolicy(), versions=(Version(1, 0, check(read({"rules": [rule]}))),))
    opened_ms = 8 * day_ms + PERIOD
    assert told(watch.advance(signs(0, device="meter-1"), T0 + opened_ms)) == [("open", 1, opened_ms, opened_ms)]
    assert watch.advance([], T0 + 16 * day_ms) == []
    assert told(watch.advance([], T0 + 17 * day_ms)) == [("expired", 2, opened_ms, 16 * day_ms + 2 * PERIOD)]


def test_no_alert_ends_at_the_instant_at_which_it_began_however_long_the_period_is():
    watch = InactivityWatch(InactivityPolicy(TIMEOUT, 86_400_000, forget_after_ms=TIMEOUT + 1))
    [opened, expired] = watch.advance(signs(0), T0 + 3 * 86_400_000)
    assert expired.changed_at_ms - opened.opened_at_ms == 86_400_000


def test_a_claim_makes_no_device_known_and_ends_no_later_alert():
    watch = InactivityWatch(POLICY)
    watch.advance(signs(0), T0 + 95_000, claims=signs(10, device="stranger"))
    assert watch.known == 1
    assert watch.claim("d1", T0 + 29_999, T0 + 95_000) == []  # the alert of 90 s is right all the same
    assert told(watch.claim("d1", T0 + 30_000, T0 + 95_000)) == [(AlertState.CANCELLED, 2, 90_000, 90_000)]


def test_a_claim_that_was_heard_long_ago_ends_nothing():
    watch = InactivityWatch(POLICY)
    watch.advance(signs(0), T0 + 200_000)
    assert watch.claim("d1", T0 + 50_000, T0 + 139_999) == []
    assert told(watch.claim("d1", T0 + 50_000, T0 + 140_000)) == [(AlertState.CANCELLED, 2, 90_000, 90_000)]


LOST_UNTIL = 3_600_000  # records of an hour are lost


def test_nobody_is_silent_over_a_time_whose_records_are_lost():
    watch = InactivityWatch(POLICY)
    watch.advance(signs(0), T0 + 30_000)
    watch.excuse(T0 + LOST_UNTIL)
    assert watch.advance(signs(LOST_UNTIL + 50_000), T0 + LOST_UNTIL + 100_000) == []


def test_who_does_not_come_back_after_lost_records_is_silent_from_then_on():
    watch = InactivityWatch(POLICY)
    watch.advance(signs(0), T0 + 30_000)
    watch.excuse(T0 + LOST_UNTIL)
    restored = InactivityWatch(POLICY, watch.devices(), watch.decided_until_ms)
    for each in (watch, restored):
        (alert,) = each.advance([], T0 + LOST_UNTIL + 600_000)
        assert LOST_UNTIL + 60_001 <= alert.opened_at_ms - T0 <= LOST_UNTIL + 90_000


def test_a_silence_that_was_known_before_records_were_lost_stays_open():
    watch = InactivityWatch(POLICY)
    assert len(watch.advance(signs(0), T0 + 90_000)) == 1
    watch.excuse(T0 + LOST_UNTIL)
    assert watch.advance([], T0 + LOST_UNTIL + 600_000) == []
    assert told(watch.advance(signs(LOST_UNTIL + 610_000), T0 + LOST_UNTIL + 620_000))[0][0] == AlertState.RECOVERED


def test_an_excuse_for_what_is_decided_changes_nothing():
    watch = InactivityWatch(POLICY)
    watch.advance(signs(70_000), T0 + 90_000)
    watch.take_changed()
    watch.excuse(T0 + 60_000)
    assert watch.take_changed().ids == []
    assert told(watch.advance([], T0 + 150_000)) == [(AlertState.OPEN, 1, 150_000, 150_000)]


@pytest.mark.parametrize("known", [False, True], ids=["new", "silent"])
def test_who_spoke_before_records_were_lost_is_excused_though_that_is_decided_later(known):
    watch = InactivityWatch(POLICY)
    if known:
        assert len(watch.advance(signs(-200_000), T0 - 1_000)) == 1
    watch.excuse(T0 + LOST_UNTIL)
    outputs = watch.advance(signs(0, LOST_UNTIL + 50_000), T0 + LOST_UNTIL + 100_000)
    assert [output.state for output in outputs] == [AlertState.RECOVERED] * known
