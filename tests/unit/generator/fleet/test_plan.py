from collections import Counter, defaultdict
from dataclasses import replace
from itertools import islice

import pytest

from fleetpulse.errors import ConfigurationError
from generator.fleet.plan import Fault, in_transit, readings
from tests.unit.generator.fleets import FAULTY, QUIET, START_MS


def sent(scenario):
    return list(in_transit(readings(scenario), scenario))


def test_every_device_speaks_once_an_interval_and_the_fleet_evenly():
    taken = list(readings(replace(QUIET, duration_ms=3_000)))

    assert [r.time_ms - START_MS for r in taken] == list(range(0, 3_000, 20))
    assert Counter(r.device for r in taken) == dict.fromkeys(range(50), 3)


def test_an_interval_below_a_millisecond_keeps_the_rate():
    taken = list(readings(replace(QUIET, devices=1, interval_ms=0.1, duration_ms=100)))

    assert len(taken) == 1_000
    assert taken[-1].time_ms == START_MS + 99


def test_readings_are_pure_so_another_fleet_size_or_duration_changes_none_of_them():
    small = {(r.device, r.tick): (r.noise, r.fault) for r in readings(replace(FAULTY, duration_ms=5_000))}
    large = {(r.device, r.tick): (r.noise, r.fault) for r in readings(replace(FAULTY, devices=110, duration_ms=9_000))}
    clocks = {Fault.CLOCK_AHEAD, Fault.CLOCK_BEHIND}  # they are the last devices, so others in a larger fleet

    assert all(large[key][0] == found[0] for key, found in small.items() if key in large)
    assert all(large[key] == found for key, found in small.items() if key in large and found[1] not in clocks)


def test_memory_does_not_grow_with_the_duration():
    endless = replace(FAULTY, duration_ms=10**12)

    assert len(list(islice(in_transit(readings(endless), endless), 5_000))) == 5_000


def test_records_are_sent_in_order_of_their_send_time_and_never_before_they_are_taken():
    stream = sent(FAULTY)

    assert [send for send, _ in stream] == sorted(send for send, _ in stream)
    assert all(send >= reading.time_ms for send, reading in stream)
    assert stream[-1][0] <= FAULTY.end_ms


def test_whatever_is_taken_is_sent_once_and_a_duplicate_twice():
    times = Counter(reading for _, reading in sent(FAULTY))

    assert set(times) == set(readings(FAULTY))
    assert all(count == (2 if reading.fault is Fault.DUPLICATE else 1) for reading, count in times.items())


def test_each_fault_comes_at_its_rate():
    right = [r for r in readings(FAULTY) if r.fault not in (Fault.CLOCK_AHEAD, Fault.CLOCK_BEHIND)]
    shares = {fault: count / len(right) for fault, count in Counter(r.fault for r in right).items()}

    assert shares[Fault.OUT_OF_ORDER] == pytest.approx(0.05, rel=0.1)
    assert shares[Fault.LATE] == pytest.approx(0.02, rel=0.2)
    assert shares[Fault.DUPLICATE] == pytest.approx(0.03, rel=0.1)
    assert shares[Fault.MALFORMED] == pytest.approx(0.04, rel=0.1)


def test_only_every_fifth_device_is_ever_late():
    late = {r.device for r in readings(FAULTY) if r.fault is Fault.LATE}

    assert late == set(range(0, 95, 5))


def test_wrong_clocks_are_those_of_the_last_devices():
    faults = defaultdict(set)
    for reading in readings(FAULTY):
        faults[reading.fault].add(reading.device)

    assert faults[Fault.CLOCK_AHEAD] == {98, 99}
    assert faults[Fault.CLOCK_BEHIND] == {95, 96, 97}


def test_out_of_order_stays_within_the_bound_and_late_goes_beyond_it():
    delays = defaultdict(list)
    for send_ms, reading in sent(FAULTY):
        if send_ms < FAULTY.end_ms:  # those still on their way at the end are sent then
            delays[reading.fault].append(send_ms - reading.time_ms)

    assert min(delays[Fault.OUT_OF_ORDER]) > 0
    assert 1_400 < max(delays[Fault.OUT_OF_ORDER]) < FAULTY.bound_ms
    assert max(delays[Fault.DUPLICATE]) < FAULTY.bound_ms
    assert FAULTY.bound_ms < min(delays[Fault.LATE])
    assert max(delays[Fault.LATE]) <= 15 * FAULTY.bound_ms + 1
    assert set(delays[Fault.NONE]) == {0}


def test_silent_devices_take_no_readings():
    fleet = replace(QUIET, site_outage_ms=100_000)
    gaps = defaultdict(int)
    last = {}
    for r in readings(fleet):
        gaps[r.device] = max(gaps[r.device], r.time_ms - last.get(r.device, r.time_ms))
        last[r.device] = r.time_ms

    assert Counter(gaps.values()) == {1_000: 40, 101_000: 10}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"devices": 0}, "1 to 16777216 devices, not 0"),
        ({"interval_ms": 0}, "interval between readings must be more than 0"),
        ({"duration_ms": 0}, "nothing to send"),
        ({"period_ms": 0}, "must be more than 0"),
        ({"late_rate": 0.12, "malformed_rate": 0.6}, "add up to 1.2"),
        ({"clock_ahead_devices": 30, "clock_behind_devices": 30}, "60 devices with a wrong clock in a fleet of 50"),
        ({"site_outage_ms": 600_000}, "shorter than ten timeouts"),
    ],
)
def test_a_scenario_that_contradicts_itself_is_refused(change, message):
    with pytest.raises(ConfigurationError, match=message):
        replace(QUIET, **change)
