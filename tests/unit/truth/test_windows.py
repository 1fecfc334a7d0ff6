from collections import defaultdict
from dataclasses import replace

import pytest

from generator.fleet.plan import Fault, Reading, readings
from generator.fleet.silence import NEVER
from generator.payloads.dialects import metrics_of
from generator.payloads.stream import records
from generator.scenario import Dialect
from tests.truth.windows import Window, WindowTruth
from tests.unit.generator.fleets import FAULTY, QUIET, START_MS

WIDTH_MS = 60_000


def told(*measured, until_ms=NEVER):
    """The windows of one device that measures (time, value)."""
    found = []
    truth = WindowTruth(QUIET, WIDTH_MS, found.append)
    for time_ms, value in measured:
        truth.measured("d1", time_ms, {"battery": value})
    truth.close(until_ms)
    return found


def test_a_window_has_what_was_measured_in_it():
    [window] = told((60_000, 3.0), (70_000, 1.0), (80_000, 2.0))

    assert window == ("d1", "battery", 60_000, 120_000, 3, 6.0, 1.0, 3.0, 2.0, 2.0, 3.0)


def test_a_sum_is_exact_in_any_order():
    assert [w.sum for w in told((0, 0.1), (1, 0.2), (2, 0.3))] == [0.6]


@pytest.mark.parametrize(("readings", "p95"), [(1, 1), (19, 19), (20, 19), (21, 20), (100, 95)])
def test_95_percent_of_the_values_are_not_above_the_percentile(readings, p95):
    [window] = told(*((n, float(n + 1)) for n in reversed(range(readings))))

    assert window.p95 == p95


def test_windows_are_half_open_and_aligned_to_the_epoch():
    windows = told((59_999, 1.0), (60_000, 2.0), (119_999, 3.0), (120_000, 4.0))

    assert [(w.start_ms, w.end_ms, w.readings) for w in windows] == [
        (0, 60_000, 1),
        (60_000, 120_000, 2),
        (120_000, 180_000, 1),
    ]


def test_a_window_without_readings_is_none():
    assert [w.start_ms for w in told((0, 1.0), (300_000, 1.0))] == [0, 300_000]


def test_a_window_is_told_at_the_end_only_if_it_is_over():
    assert len(told((0, 1.0), until_ms=59_999)) == 1
    assert told((0, 1.0), until_ms=59_998) == []


def test_metrics_and_devices_have_windows_of_their_own():
    found = []
    truth = WindowTruth(QUIET, WIDTH_MS, found.append)
    truth.measured("d1", 0, {"lat": 1.0, "lon": 2.0})
    truth.measured("d2", 0, {"lat": 3.0})
    truth.close(NEVER)

    assert [(w.device_id, w.metric, w.sum) for w in found] == [
        ("d1", "lat", 1.0),
        ("d1", "lon", 2.0),
        ("d2", "lat", 3.0),
    ]


@pytest.mark.parametrize(
    ("fault", "count", "order_dependent"),
    [
        (Fault.NONE, 1, False),
        (Fault.OUT_OF_ORDER, 1, False),
        (Fault.DUPLICATE, 2, False),
        (Fault.LATE, 0, True),
        (Fault.MALFORMED, 0, False),
        (Fault.CLOCK_AHEAD, 0, False),
        (Fault.CLOCK_BEHIND, 0, True),
    ],
)
def test_readings_on_time_count_and_a_duplicate_twice(fault, count, order_dependent):
    found = []
    truth = WindowTruth(replace(QUIET, dialect=Dialect.TELEMETRY), WIDTH_MS, found.append)
    truth.observe(Reading(0, "d1", 0, START_MS, fault, 7))
    truth.close(NEVER)

    assert [w.readings for w in found] == [count] * 2 * bool(count)
    assert (truth.order_dependent == {"d1"}) is order_dependent


def test_a_fleet_s_windows_are_what_sorting_its_readings_into_them_gives():
    scenario = replace(FAULTY, dialect=Dialect.MIXED, duration_ms=150_000)
    found: list[Window] = []
    truth = WindowTruth(scenario, WIDTH_MS, found.append)
    list(records(scenario, truth))
    truth.close(NEVER)
    sorted_in = defaultdict(list)
    for reading in readings(scenario):
        times = {Fault.NONE: 1, Fault.OUT_OF_ORDER: 1, Fault.DUPLICATE: 2}.get(reading.fault, 0)
        for metric, value in metrics_of(scenario, reading).items():
            sorted_in[reading.device_id, metric, reading.time_ms // WIDTH_MS * WIDTH_MS] += [value] * times
    expected = {
        key: (len(values), pytest.approx(sum(values)), min(values), max(values), values[-1])
        for key, values in sorted_in.items()
        if values
    }

    assert len(expected) > 400
    assert {(w.device_id, w.metric, w.start_ms): (w.readings, w.sum, w.min, w.max, w.last) for w in found} == expected
