from collections import Counter
from dataclasses import replace
from itertools import pairwise
from math import hypot

import pytest

from generator.fleet.factory import KINDS
from generator.fleet.plan import Fault, Reading, readings
from generator.fleet.values import battery, carbon_dioxide, factory_value, located, moments, position, weather
from tests.unit.generator.fleets import QUIET, START_MS

HOUR_MS = 3_600_000
DAY = [START_MS + hour * HOUR_MS for hour in range(24)]
MINUTES = [START_MS + minute * 60_000 for minute in range(7 * 24 * 60)]


def test_a_day_is_a_wave_coolest_and_most_humid_at_three():
    temperatures, humidities = zip(*(weather(3, time_ms, 7, 0.0) for time_ms in DAY), strict=True)

    assert (temperatures.index(min(temperatures)), temperatures.index(max(temperatures))) == (3, 15)
    assert (humidities.index(max(humidities)), humidities.index(min(humidities))) == (3, 15)
    assert max(temperatures) - min(temperatures) == pytest.approx(10, abs=0.05)


def test_readings_of_the_same_moment_differ_by_noise():
    temperatures, humidities = zip(*(weather(3, START_MS, n, 0.0) for n in range(0, 0x10000, 0x100)), strict=True)

    assert len(set(temperatures)) > 50
    assert max(temperatures) - min(temperatures) <= 1.01
    assert max(humidities) - min(humidities) <= 3.01


def test_a_room_has_more_carbon_dioxide_by_day():
    assert carbon_dioxide(3, DAY[15], 7, 0.0) > carbon_dioxide(3, DAY[3], 7, 0.0) + 200


def test_a_battery_discharges_and_is_charged_again():
    charges = [battery(3, time_ms, 0, 0.0) for time_ms in MINUTES]
    steps = [after - before for before, after in pairwise(charges)]

    assert 5 <= min(charges) < 6
    assert 99 < max(charges) <= 100
    assert sum(step < 0 for step in steps) == pytest.approx(0.95 * len(steps), rel=0.02)
    assert min(steps) > -0.25


def test_batteries_are_not_charged_in_step():
    assert len({round(battery(device, START_MS, 0, 0.0)) for device in range(50)}) > 25


def test_a_device_keeps_near_its_home_and_leaves_it_at_times():
    homes = [position(QUIET, (3, time_ms, 7, 0.0)) for time_ms in MINUTES]
    lat, lon = (sorted(axis)[len(homes) // 2] for axis in zip(*homes, strict=True))
    distances = [hypot(a - lat, b - lon) for a, b in homes]
    near = sum(distance < 0.001 for distance in distances) / len(distances)

    assert 0.93 < near < 0.99
    assert 0.01 < max(distances) < 0.06


def test_homes_are_apart():
    assert len({tuple(round(x, 3) for x in position(QUIET, (d, START_MS, 7, 0.0))) for d in range(50)}) == 50


def test_as_many_devices_as_asked_for_tell_their_position():
    assert sum(located(replace(QUIET, located_share=0.3), device) for device in range(1_000)) == pytest.approx(300, 0.1)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_fifth_of_a_sensor_s_values_lies_near_its_thresholds(kind):
    reach = kind.critical - kind.base
    found = Counter()
    for device in range(100):
        for tick in range(500):
            value = factory_value(QUIET, kind, (device, START_MS + tick * 7_000, device * 997 + tick * 7919, 0.0))
            if value >= kind.critical - reach * 0.06:
                found["critical"] += 1
            elif abs(value - kind.warning) <= reach * 0.06:
                found["warning"] += 1
            else:
                found["usual"] += 1
                assert abs(value - kind.base) <= reach * 0.3

    assert found["warning"] / 50_000 == pytest.approx(0.15, abs=0.015)
    assert found["critical"] / 50_000 == pytest.approx(0.05, abs=0.01)


def test_a_hall_is_less_humid_when_it_is_warm():
    calm = replace(QUIET, warning_share=0.0, critical_share=0.0)
    temperature, humidity = (
        [factory_value(calm, kind, (3, time_ms, 7, 0.0)) for time_ms in DAY]
        for kind in KINDS
        if kind.name in ("temperature", "humidity")
    )

    assert temperature.index(max(temperature)) == humidity.index(min(humidity)) == 15


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_sensor_measures_what_cannot_be(kind):
    low, high = (factory_value(QUIET, kind, (3, START_MS, 7, shift)) for shift in (-1_000.0, 1_000.0))

    assert (low, min(high, kind.highest)) == (kind.lowest, high)


def test_no_battery_is_more_than_full_or_less_than_empty():
    assert (battery(3, START_MS, 0, -9.0), battery(3, START_MS, 0, 9.0)) == (100, 0)


def test_the_shares_near_the_thresholds_can_be_chosen():
    calm = replace(QUIET, warning_share=0.0, critical_share=0.0)
    broken = replace(QUIET, warning_share=0.0, critical_share=1.0)
    kind = KINDS[0]

    assert max(factory_value(calm, kind, (3, t, 7, 0.0)) for t in MINUTES) < 30
    assert min(factory_value(broken, kind, (3, t, 7, 0.0)) for t in MINUTES) > 38


def taken(time_ms=START_MS, device=3, noise=7):
    return Reading(device, f"device-{device:05d}", 5, time_ms, Fault.NONE, noise)


def test_values_without_faults_are_those_of_the_reading_itself():
    assert moments(QUIET)(taken()) == (3, START_MS, 7, 0.0)


def test_spikes_come_at_their_rate_and_reach_beyond_the_critical_value():
    moment_of = moments(replace(QUIET, spike_rate=0.1))
    shifts = [moment_of(reading)[3] for reading in readings(replace(QUIET, duration_ms=100_000))]
    spikes = [shift for shift in shifts if shift]

    assert len(spikes) / len(shifts) == pytest.approx(0.1, rel=0.1)
    assert {1 <= abs(shift) < 2 for shift in spikes} == {True}
    assert sum(shift < 0 for shift in spikes) / len(spikes) == pytest.approx(0.25, abs=0.05)


def test_a_spike_in_temperature_and_humidity_stays_possible():
    temperature, humidity = weather(3, START_MS, 7, 2.0)

    assert temperature > 40
    assert humidity == 0.0


def test_a_stuck_device_repeats_a_moment_for_one_to_three_timeouts():
    moment_of = moments(replace(QUIET, stuck_probability=1.0))
    cycles = 5 * QUIET.timeout_ms
    runs = Counter(moment_of(taken(START_MS + ms, noise=ms))[1:3] for ms in range(0, 20 * cycles, 500))
    held = [500 * times for times in runs.values() if times > 1]

    assert 19 <= len(held) <= 21  # one in each cycle, the first and the last maybe cut off
    assert min(held[1:-1]) >= QUIET.timeout_ms - 500
    assert max(held) <= 3 * QUIET.timeout_ms + 500


def test_as_many_cycles_have_a_stuck_device_as_its_probability_says():
    moment_of = moments(replace(QUIET, stuck_probability=0.2))
    times = Counter(moment_of(taken(START_MS + 200_000, device=device, noise=device))[1] for device in range(5_000))

    assert 1 - times[START_MS + 200_000] / 5_000 == pytest.approx(0.2 * 0.4, rel=0.15)


def test_drift_grows_with_time_and_differs_between_devices():
    moment_of = moments(replace(QUIET, drift_per_day=2.0))
    after_12_h = [moment_of(taken(START_MS + 12 * HOUR_MS, device))[3] for device in range(200)]

    assert moment_of(taken())[3] == 0.0
    assert moment_of(taken(START_MS + 24 * HOUR_MS))[3] == pytest.approx(2 * after_12_h[3])
    assert -1 <= min(after_12_h) < -0.9
    assert 0.9 < max(after_12_h) <= 1
