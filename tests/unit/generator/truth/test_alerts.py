from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.records.avro import SCHEMA, SensorReadings
from fleetpulse.records.batch import decode_batch
from generator.fleet.chance import mix
from generator.fleet.plan import Fault, Reading, readings
from generator.payloads.malformed import KINDS, choose, value_of
from generator.scenario import Dialect
from generator.truth.alerts import Revision, Truth
from tests.unit.generator.fleets import FAULTY, QUIET

TIMEOUT_MS, PERIOD_MS = QUIET.timeout_ms, QUIET.period_ms
T = 3_000_000  # an evaluation instant


def told(lives_ms, until_ms, scenario=QUIET):
    """The true alerts of one device that is alive at `lives_ms`, up to `until_ms`."""
    found = []
    truth = Truth(scenario, found.append)
    for life_ms in lives_ms:
        truth.alive("d1", life_ms)
    truth.close(until_ms)
    return found


def opened(at_ms):
    return Revision("d1", 1, "open", at_ms, at_ms)


def recovered(opened_at_ms, at_ms):
    return Revision("d1", 2, "recovered", opened_at_ms, at_ms)


# Timelines: | is an evaluation instant, x a heartbeat, o an alert that opens.


def test_silent_for_exactly_the_timeout_is_active():
    # x........|T........|T+30 s
    assert told([T - TIMEOUT_MS], T) == []


def test_silent_for_a_millisecond_more_is_inactive():
    assert told([T - TIMEOUT_MS - 1], T) == [opened(T)]


def test_an_alert_opens_at_the_first_instant_only():
    assert told([T - TIMEOUT_MS - 1], T + 10 * PERIOD_MS) == [opened(T)]


def test_a_device_that_never_returns_has_one_open_alert():
    assert told([T], T + 90_000) == [opened(T + 90_000)]


def test_a_sign_of_life_ends_the_alert_when_it_comes():
    # x........o|....x
    assert told([T - 61_000, T + 17], T + 20) == [opened(T), recovered(T, T + 17)]


def test_a_sign_of_life_at_the_instant_itself_does_not_count_for_it_but_ends_the_alert_at_once():
    # x........ox|
    assert told([T - 61_000, T], T) == [opened(T), recovered(T, T)]


def test_a_sign_of_life_just_before_the_instant_prevents_the_alert():
    assert told([T - 61_000, T - 1], T) == []


def test_the_next_silence_is_a_new_alert():
    first, second = opened(T), opened(T + 90_000)
    found = told([T - 61_000, T + 1, T + 95_000], T + 95_000)

    assert found == [first, recovered(T, T + 1), second, recovered(T + 90_000, T + 95_000)]
    assert first.alert_id != second.alert_id


def test_an_alert_that_would_open_after_the_end_is_not_told():
    assert told([T - 61_000], T - 1) == []


def test_the_identity_is_the_contract_s():
    assert str(opened(T).alert_id) == "ce4b88ef-ce78-5163-a661-6c3db4fd41cf"


def observed(*faults):
    truth = Truth(QUIET, lambda _: None)
    for tick, fault in enumerate(faults):
        truth.observe(Reading(0, "d1", tick, T + tick, fault, 0))
    return truth


@pytest.mark.parametrize(
    ("fault", "order_dependent"),
    [
        (Fault.NONE, False),
        (Fault.OUT_OF_ORDER, False),
        (Fault.DUPLICATE, False),
        (Fault.CLOCK_AHEAD, False),
        (Fault.LATE, True),
        (Fault.CLOCK_BEHIND, True),
    ],
)
def test_only_lateness_makes_a_device_depend_on_the_order_of_arrival(fault, order_dependent):
    assert (observed(Fault.NONE, fault).order_dependent == {"d1"}) is order_dependent


def test_a_duplicate_counts_as_two_records():
    assert observed(Fault.NONE, Fault.DUPLICATE).sent == 3


def test_a_clock_ahead_is_rejected_but_alive():
    found = []
    truth = Truth(QUIET, found.append)
    for time_ms in (T - 61_000, T - 1):
        truth.observe(Reading(0, "d1", 0, time_ms, Fault.CLOCK_AHEAD, 0))
    truth.close(T)

    assert truth.rejected == {"future_timestamp": 2}
    found = [revision for revision in found if revision.rule_id != "clock"]
    assert found == []


@pytest.mark.parametrize("dialect", Dialect)
def test_a_rejected_record_is_a_sign_of_life_where_the_decoder_says_so(dialect):
    if dialect is Dialect.MIXED:
        return
    for kind in KINDS[dialect]:
        noise = next(n for n in range(100_000) if choose(dialect, mix(n)) == kind)
        value = value_of(kind, dialect, "d1", T - 1)
        avro = SensorReadings({1: SCHEMA}.get)
        decided = decode_batch([value], [T - 1], 60_000, avro=avro).rejections[0]
        found = []
        truth = Truth(replace(QUIET, dialect=dialect), found.append)
        truth.alive("d1", T - 61_000)
        truth.observe(Reading(0, "d1", 0, T - 1, Fault.MALFORMED, noise))
        truth.close(T)

        assert truth.rejected == {kind.reason: 1}
        assert (found == []) is (decided.device_id == "d1"), kind


def test_a_malformed_record_of_a_mixed_fleet_has_the_reason_of_its_device_s_dialect():
    mixed = replace(QUIET, dialect=Dialect.MIXED)
    noise = next(n for n in range(10_000) if choose(Dialect.SENSOR, mix(n)).reason == "wrong_type")
    truth = Truth(mixed, lambda _: None)
    truth.observe(Reading(2, "d2", 0, T, Fault.MALFORMED, noise))

    assert mixed.dialect_of(2) is Dialect.SENSOR
    assert truth.rejected == {"wrong_type": 1}


def test_a_clock_behind_has_one_open_alert_from_its_first_record():
    found = []
    truth = Truth(QUIET, found.append)
    for time_ms in (T + 1, T + 100_000):
        truth.observe(Reading(0, "d1", 0, time_ms, Fault.CLOCK_BEHIND, 0))
    truth.close(T + 200_000)

    assert found == [opened(T + PERIOD_MS)]


def instant_by_instant(lives_ms, until_ms):
    """The definition itself: decide at every instant, looking at all earlier heartbeats."""
    open_at, revisions = None, []
    for t in range(PERIOD_MS, until_ms + 1, PERIOD_MS):
        before = [life for life in lives_ms if life < t]
        if open_at is not None and (back := [life for life in before if life >= open_at]):
            revisions.append(recovered(open_at, back[0]))
            open_at = None
        if open_at is None and before and t - before[-1] > TIMEOUT_MS:
            open_at = t
            revisions.append(opened(t))
    return revisions


@given(st.lists(st.integers(1, 140_000) | st.sampled_from([PERIOD_MS, TIMEOUT_MS, 90_000]), min_size=1, max_size=12))
def test_the_truth_is_what_deciding_instant_by_instant_gives(gaps_ms):
    lives_ms = [PERIOD_MS * 10]
    for gap_ms in gaps_ms:
        lives_ms.append(lives_ms[-1] + gap_ms)
    until_ms = lives_ms[-1] // PERIOD_MS * PERIOD_MS + 10 * PERIOD_MS

    assert told(lives_ms, until_ms) == instant_by_instant(lives_ms, until_ms)


def test_a_whole_fleet_s_truth_is_what_deciding_instant_by_instant_gives():
    scenario = replace(FAULTY, late_rate=0.0, clock_behind_devices=0, malformed_rate=0.0)
    found, lives = [], defaultdict(list)
    truth = Truth(scenario, found.append)
    for reading in readings(scenario):
        truth.observe(reading)
        lives[reading.device_id].append(reading.time_ms - scenario.start_ms + 10 * PERIOD_MS)
    truth.close(scenario.end_ms)
    shift = scenario.start_ms - 10 * PERIOD_MS
    expected = {
        r._replace(device_id=d, opened_at_ms=r.opened_at_ms + shift, changed_at_ms=r.changed_at_ms + shift)
        for d, times in lives.items()
        for r in instant_by_instant(times, scenario.duration_ms + 10 * PERIOD_MS)
    }

    assert len(expected) > 100
    assert {revision for revision in found if revision.rule_id != "clock"} == expected


def test_a_wrong_clock_is_an_alert_at_the_second_instant_and_only_once():
    # x..x..|.....|..x..|..x..|
    found = []
    truth = Truth(QUIET, found.append)
    for time_ms in (T - PERIOD_MS, T - 1, T + PERIOD_MS, T + 2 * PERIOD_MS):
        truth.observe(Reading(0, "d1", 0, time_ms, Fault.CLOCK_AHEAD, 0))

    at_ms = T + 2 * PERIOD_MS
    assert [r for r in found if r.rule_id == "clock"] == [Revision("d1", 1, "open", at_ms, at_ms, "clock")]
