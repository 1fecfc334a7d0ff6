from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.fleet.plan import Fault, Reading, readings
from generator.payloads.dialects import metrics_of
from generator.payloads.stream import records
from generator.scenario import Dialect
from generator.truth.alerts import Truth
from tests.truth.together import Together
from tests.truth.values import Limit, Rate, Stuck, ValueRevision, ValueTruth
from tests.unit.generator.fleets import FAULTY, QUIET, START_MS

HOT = Limit("hot", "temperature_c", warning=30.0, critical=40.0)
COLD = Limit("cold", "temperature_c", warning=5.0, critical=0.0, above=False)
FAST = Rate("fast", "temperature_c", warning=10.0, critical=30.0)
DEAD = Stuck("dead", "temperature_c", for_ms=20_000)


def told(rule, *values, every_s=10):
    """The true alerts of one device that measures these, one every ten seconds; None measures something else."""
    found = []
    truth = ValueTruth(QUIET, [rule], found.append)
    for n, value in enumerate(values):
        truth.measured("d1", n * every_s * 1000, {"humidity": 1.0} if value is None else {"temperature_c": value})
    return [line(revision) for revision in found]


def line(revision):
    return revision.revision, revision.state, revision.severity, revision.opened_at_ms, revision.changed_at_ms


# Timelines: a value every 10 s; limits 30 and 40.


def test_a_value_beyond_the_limit_opens_an_alert_and_one_within_ends_it():
    # 20  31  35  29
    assert told(HOT, 20, 31, 35, 29) == [
        (1, "open", "warning", 10_000, 10_000),
        (2, "recovered", "warning", 10_000, 30_000),
    ]


def test_a_value_at_the_limit_is_within():
    assert told(HOT, 30, 30.01, 30) == [
        (1, "open", "warning", 10_000, 10_000),
        (2, "recovered", "warning", 10_000, 20_000),
    ]


def test_a_change_of_severity_is_an_update():
    # 31  41  40  30
    assert told(HOT, 31, 41, 40, 30) == [
        (1, "open", "warning", 0, 0),
        (2, "updated", "critical", 0, 10_000),
        (3, "updated", "warning", 0, 20_000),
        (4, "recovered", "warning", 0, 30_000),
    ]


def test_an_alert_may_open_critical_and_recover_from_there():
    assert told(HOT, 20, 50, 20) == [
        (1, "open", "critical", 10_000, 10_000),
        (2, "recovered", "critical", 10_000, 20_000),
    ]


def test_the_next_excess_is_a_new_alert():
    assert [(state, opened) for _, state, _, opened, _ in told(HOT, 31, 20, 31)] == [
        ("open", 0),
        ("recovered", 0),
        ("open", 20_000),
    ]


def test_a_reading_without_the_metric_changes_nothing():
    assert told(HOT, 31, None, None, 31) == [(1, "open", "warning", 0, 0)]


def test_a_limit_below_is_the_mirror_image():
    assert told(COLD, 5, 4, -1, 0, 5) == [
        (1, "open", "warning", 10_000, 10_000),
        (2, "updated", "critical", 10_000, 20_000),
        (3, "updated", "warning", 10_000, 30_000),
        (4, "recovered", "warning", 10_000, 40_000),
    ]


def test_a_limit_may_have_one_severity_only():
    assert told(HOT._replace(warning=None), 31, 41, 31) == [
        (1, "open", "critical", 10_000, 10_000),
        (2, "recovered", "critical", 10_000, 20_000),
    ]
    assert told(HOT._replace(critical=None), 31, 41) == [(1, "open", "warning", 0, 0)]


def test_hysteresis_holds_each_severity_until_the_value_is_back_by_it():
    # hysteresis 2: critical until 38, warning until 28
    assert told(HOT._replace(hysteresis=2.0), 41, 38.01, 38, 28.01, 28) == [
        (1, "open", "critical", 0, 0),
        (2, "updated", "warning", 0, 20_000),
        (3, "recovered", "warning", 0, 40_000),
    ]


def test_hysteresis_opens_nothing():
    assert told(HOT._replace(hysteresis=2.0), 29, 30) == []


def test_hysteresis_below_is_the_mirror_image():
    assert told(COLD._replace(hysteresis=2.0), 4, 6.99, 7) == [
        (1, "open", "warning", 0, 0),
        (2, "recovered", "warning", 0, 20_000),
    ]


def test_a_limit_counts_once_it_has_been_exceeded_for_long_enough():
    # 31  31  31 with 20 s: at the third reading, exactly 20 s after the first
    held = HOT._replace(for_ms=20_000)

    assert told(held, 31, 31) == []
    assert told(held, 31, 31, 31) == [(1, "open", "warning", 20_000, 20_000)]
    assert told(held._replace(for_ms=20_001), 31, 31, 31) == []


def test_a_moment_within_the_limit_begins_the_wait_again():
    assert told(HOT._replace(for_ms=20_000), 31, 30, 31, 31, 31) == [(1, "open", "warning", 40_000, 40_000)]


def test_what_is_critical_counts_as_a_warning_all_the_while():
    # 31  41  41  41 with 20 s: warning since 0, critical since 10 s
    assert told(HOT._replace(for_ms=20_000), 31, 41, 41, 41) == [
        (1, "open", "warning", 20_000, 20_000),
        (2, "updated", "critical", 20_000, 30_000),
    ]


def test_a_short_critical_moment_within_a_long_warning_is_no_update():
    assert told(HOT._replace(for_ms=20_000), 31, 31, 31, 41, 31) == [(1, "open", "warning", 20_000, 20_000)]


def test_a_repeated_reading_changes_nothing():
    assert told(HOT, 31, 31, every_s=0) == [(1, "open", "warning", 0, 0)]
    assert told(FAST, 20, 20, every_s=0) == []


def test_a_rate_is_scaled_to_its_period_and_counts_up_and_down():
    # 20  22  27  25 -> 12, 30 and 12 a minute
    assert told(FAST, 20, 20, 22, 27, 25, 25) == [
        (1, "open", "warning", 20_000, 20_000),
        (2, "recovered", "warning", 20_000, 50_000),
    ]


def test_a_rate_beyond_the_critical_limit_is_critical():
    assert told(FAST, 20, 25.1, 25.1) == [
        (1, "open", "critical", 10_000, 10_000),
        (2, "recovered", "critical", 10_000, 20_000),
    ]


def test_a_rate_spans_readings_without_the_metric():
    # 5 degrees in 20 s are 15 a minute
    assert told(FAST, 20, None, 25) == [(1, "open", "warning", 20_000, 20_000)]


def test_a_rate_is_to_the_last_reading_of_an_earlier_time():
    found = []
    truth = ValueTruth(QUIET, [FAST], found.append)
    for time_ms, value in [(0, 20.0), (10_000, 22.0), (10_000, 22.0), (20_000, 22.0)]:
        truth.measured("d1", time_ms, {"temperature_c": value})

    assert [line(revision)[1:] for revision in found] == [
        ("open", "warning", 10_000, 10_000),
        ("recovered", "warning", 10_000, 20_000),
    ]


def test_the_first_value_has_no_rate():
    assert told(FAST, 1_000) == []


def test_a_value_that_stays_the_same_for_long_enough_is_stuck_until_it_changes():
    # 20  21  21  21  21  22 with 20 s
    assert told(DEAD, 20, 21, 21, 21, 21, 22) == [
        (1, "open", "warning", 30_000, 30_000),
        (2, "recovered", "warning", 30_000, 50_000),
    ]


def test_a_value_is_compared_with_the_first_of_its_run_so_a_creeping_one_is_not_stuck():
    within = DEAD._replace(tolerance=0.5)

    assert told(within, 20, 20.5, 19.5, 20) == [(1, "open", "warning", 20_000, 20_000)]
    assert told(within, 20, 20.4, 20.8, 21.2) == []


def test_a_stuck_value_has_the_severity_of_its_rule():
    assert told(DEAD._replace(severity="critical"), 1, 1, 1) == [(1, "open", "critical", 20_000, 20_000)]


def test_devices_and_rules_are_judged_apart():
    found = []
    truth = ValueTruth(QUIET, [HOT, COLD], found.append)
    truth.measured("d1", 0, {"temperature_c": 31.0})
    truth.measured("d2", 0, {"temperature_c": 1.0})
    truth.measured("d1", 1, {"temperature_c": 1.0})

    assert [(r.rule_id, r.device_id, r.state) for r in found] == [
        ("hot", "d1", "open"),
        ("cold", "d2", "open"),
        ("hot", "d1", "recovered"),
        ("cold", "d1", "open"),
    ]


def test_the_identity_is_the_contract_s():
    revision = ValueRevision("inactivity", "d1", 1, "open", "critical", 3_000_000, 3_000_000)

    assert str(revision.alert_id) == "ce4b88ef-ce78-5163-a661-6c3db4fd41cf"


HUMID = Limit("humid", "humidity", warning=-1.0)  # always


@pytest.mark.parametrize(
    ("fault", "counts", "order_dependent"),
    [
        (Fault.NONE, True, False),
        (Fault.OUT_OF_ORDER, True, False),
        (Fault.DUPLICATE, True, False),
        (Fault.LATE, False, True),
        (Fault.MALFORMED, False, False),
        (Fault.CLOCK_AHEAD, False, False),
        (Fault.CLOCK_BEHIND, False, True),
    ],
)
def test_only_readings_on_time_count(fault, counts, order_dependent):
    found = []
    truth = ValueTruth(replace(QUIET, dialect=Dialect.TELEMETRY), [HUMID], found.append)
    truth.observe(Reading(0, "d1", 0, START_MS, fault, 7))

    assert (len(found) == 1) is counts
    assert (truth.order_dependent == {"d1"}) is order_dependent


values = st.floats(0, 60) | st.sampled_from([30.0, 40.0, 29.0, 39.0])


@given(st.lists(st.tuples(st.integers(1, 30), values), max_size=30), st.sampled_from([0.0, 1.0, 15.0]))
def test_a_limit_is_what_looking_back_from_each_reading_gives(steps, hysteresis):
    """The definition itself: at each reading, look at all before it."""
    rule, found, seen, times = HOT._replace(hysteresis=hysteresis, for_ms=20_000), [], [], []
    truth, time_ms, expected = ValueTruth(QUIET, [rule], found.append), 0, []
    for gap_s, value in steps:
        time_ms += gap_s * 1000
        truth.measured("d1", time_ms, {"temperature_c": value})
        seen.append(value)
        times.append(time_ms)
        severity = None
        for name, limit in (("warning", 30.0), ("critical", 40.0)):
            run = len(seen)
            while run and seen[run - 1] > limit - hysteresis:
                run -= 1
            began = next((n for n in range(run, len(seen)) if seen[n] > limit), None)
            if began is not None and time_ms - times[began] >= 20_000:
                severity = name
        if severity != (expected[-1][1] if expected else None):
            expected.append((time_ms, severity))

    states = {"open", "updated"}
    assert [(r.changed_at_ms, r.severity if r.state in states else None) for r in found] == expected


def test_a_fleet_is_judged_by_what_its_records_say():
    scenario = replace(FAULTY, dialect=Dialect.SENSOR, duration_ms=200_000, spike_rate=0.02, stuck_probability=0.3)
    rules = [
        Limit("vibration", "vibration_mm_s", warning=5.0, critical=7.0),
        Rate("energy", "energy_kw", warning=5_000.0),
        Stuck("pressure", "pressure_hpa", for_ms=10_000),
    ]
    found = []
    truth = ValueTruth(scenario, rules, found.append)
    alive = Truth(scenario, lambda _: None)
    list(records(scenario, Together(alive, truth)))
    above = {
        (r.device_id, r.time_ms) for r in readings(scenario) if metrics_of(scenario, r).get("vibration_mm_s", 0) > 5
    }
    opened = {(r.device_id, r.changed_at_ms) for r in found if r.rule_id == "vibration" and r.state == "open"}

    assert {r.rule_id for r in found} == {"vibration", "energy", "pressure"}
    assert {r.state for r in found} == {"open", "updated", "recovered"}
    assert opened <= above
    assert truth.order_dependent == alive.order_dependent
