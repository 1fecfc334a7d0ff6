"""Alerts on readings, whatever the batches, restores, versions of the rules and devices that come and go."""

import random

import pytest

from fleetpulse.anomaly.watch import AnomalyWatch
from fleetpulse.frames.rows import in_order
from tests.unit.fleetpulse.rules.timelines import (
    BOTH,
    DAY_MS,
    HOT,
    T0,
    brief,
    judged,
    readings,
    rows,
    temperatures,
    version,
    watch,
)


def test_a_rule_is_for_the_devices_and_sites_of_its_scope():
    rule = HOT | {"scope": {"devices": ["d*"], "sites": ["hall-*"]}}
    told = [
        ("d1", 0, {"temperature_c": 60.0}),
        ("d1", 1, {"temperature_c": 60.0}, "hall-1"),
        ("e1", 2, {"temperature_c": 60.0}, "hall-1"),
    ]
    assert judged([rule], told) == [(1, "d1", "open", "critical", "hot")]


def test_a_device_without_a_site_is_in_no_scope_of_sites():
    rule = HOT | {"scope": {"sites": ["*"]}}
    told = [("d1", 0, {"temperature_c": 60.0}), ("d2", 1, {"temperature_c": 60.0}, "hall-1")]
    assert judged([rule], told) == [(1, "d2", "open", "critical", "hot")]


def test_other_rules_take_effect_at_their_instant():
    first, second = version(HOT), version(HOT | {"above": {"critical": 60}}, number=2, effective_from_ms=T0 + 10_000)
    watch = AnomalyWatch((first, second), 7 * DAY_MS)
    told = temperatures((0, 55), (9.999, 55), (10, 55)) + temperatures((10, 61), device="d2")
    assert brief(watch.advance(rows(*told), T0 + 20_000)) == [
        (0, "d1", "open", "critical", "hot"),
        (10, "d1", "recovered", "critical", "hot"),
        (10, "d2", "open", "critical", "hot"),
    ]
    assert watch.version == 2


def test_the_alerts_of_a_rule_that_is_gone_are_cancelled():
    watch = AnomalyWatch((version(HOT), version(number=2, effective_from_ms=T0 + 10_000)), 7 * DAY_MS)
    assert brief(watch.advance(rows(*temperatures((0, 55))), T0 + 10_000)) == [
        (0, "d1", "open", "critical", "hot"),
        (10, "d1", "cancelled", "critical", "hot"),
    ]


def test_an_alert_of_a_device_that_is_gone_expires():
    watch = AnomalyWatch((version(HOT),), DAY_MS)
    watch.advance(rows(*temperatures((0, 55))), T0)
    assert watch.next_instant_ms == T0 + DAY_MS + 60_000
    (expired,) = watch.advance(None, T0 + 2 * DAY_MS)
    assert (expired.state, expired.revision, expired.changed_at_ms) == ("expired", 2, T0 + DAY_MS + 60_000)
    assert watch.advance(rows(*temperatures((3 * 86_400, 55))), T0 + 3 * DAY_MS)[0].state == "open"


ALL_KINDS = [
    {
        "kind": "threshold",
        "id": "range",
        "metric": "temperature_c",
        "above": {"warning": 41, "critical": 50},
        "below": {"warning": 38},
        "hysteresis": 2,
        "for": "1s",
    },
    HOT | {"hysteresis": 1, "for": "3s"},
    {"kind": "rate", "id": "jump", "metric": "temperature_c", "above": {"warning": 200}},
    {"kind": "stuck", "id": "flat", "metric": "humidity", "for": "8s"},
    {"kind": "missing", "id": "stale", "metric": "humidity", "for": "9s"},
    {"kind": "deviation", "id": "odd", "metric": "temperature_c", "sigmas": {"warning": 2}, "warm_up": 5},
    {"kind": "geofence", "id": "home", "area": {"shape": "circle", "lat": 48, "lon": 11, "radius_m": 2000}},
    BOTH | {"for": "2s"},
    {"kind": "flapping", "id": "flap", "rule": "jump", "opens": 3, "within": "20s"},
]


def restless(rng: random.Random, devices: int = 6, seconds: int = 60) -> list[tuple]:
    told = []
    for number in range(devices):
        at, humidity = rng.random(), 50.0
        while at < seconds:
            humidity = humidity if rng.random() < 0.6 else float(rng.randrange(20, 60))
            metrics = {"temperature_c": rng.choice([30.0, 38.5, 41.0, 52.0]) + rng.random()}
            if rng.random() < 0.6:
                metrics["humidity"] = humidity
            if rng.random() < 0.3:
                metrics |= {"lat": 48 + rng.random() / 30, "lon": 11.0}
            told.append((f"d{number}", at, metrics))
            at += rng.choice([0.5, 1.0, 2.0])
    return sorted(told, key=lambda t: t[1])


@pytest.mark.parametrize("seed", range(15))
def test_batches_and_restores_change_no_alert(seed):
    rng = random.Random(seed)
    told = restless(rng)
    rules = version(*ALL_KINDS), version(ALL_KINDS[0], *ALL_KINDS[2:], HOT, number=2, effective_from_ms=T0 + 30_000)
    whole = AnomalyWatch(rules, 7 * DAY_MS).advance(rows(*told), T0 + 60_000)
    assert len({r.rule_id for r in whole}) > 5
    cut = AnomalyWatch(rules, 7 * DAY_MS)
    revisions, start = [], 0
    while start < len(told):
        stop = start + rng.randrange(1, 9)
        batch = rows(*told[start:stop])
        revisions += cut.advance(batch, batch.times_ms[-1])
        start = stop
        if rng.random() < 0.3:
            cut = AnomalyWatch(rules, 7 * DAY_MS, reread(cut.snapshot()))
    revisions += cut.advance(None, T0 + 60_000)
    by_text = sorted(map(str, whole))
    assert sorted(map(str, revisions)) == by_text


def reread(snapshot):
    import msgspec

    return msgspec.msgpack.decode(msgspec.msgpack.encode(snapshot), type=type(snapshot))


def changing(before: list[dict], after: list[dict], told: list[tuple], at_s: float = 5) -> list[tuple]:
    """What these readings give where other rules take effect in between."""
    versions = version(*before), version(*after, number=2, effective_from_ms=T0 + round(at_s * 1000))
    until_ms = T0 + round(max([at_s, *(s for _, s, *_ in told)]) * 1000)
    return brief(AnomalyWatch(versions, 7 * DAY_MS).advance(rows(*told), until_ms))


AND = {"kind": "condition", "id": "both", "when": {"all": [{"rule": "hot"}, {"metric": "humidity", "above": 50}]}}


def test_a_condition_that_is_added_does_not_end_the_alert_it_asks_for():
    alone = AND | {"when": {"rule": "hot"}}
    told = temperatures((0, 60), (6, 60), (7, 30))
    assert [a for a in changing([HOT], [HOT, alone], told) if a[-1] == "hot"] == [
        (0, "d1", "open", "critical", "hot"),
        (7, "d1", "recovered", "critical", "hot"),
    ]


def test_a_condition_that_is_changed_is_judged_anew_at_the_next_reading():
    alone = AND | {"when": {"rule": "hot"}}
    told = [("d1", 0, {"temperature_c": 60.0, "humidity": 10.0}), ("d1", 6, {"lat": 1.0})]
    assert changing([HOT, AND], [HOT, alone], told)[-1] == (6, "d1", "open", "warning", "both")


def test_a_device_that_a_rule_is_no_longer_for_has_no_alert_by_it():
    narrowed = HOT | {"scope": {"devices": ["e*"]}}
    assert changing([HOT], [narrowed], temperatures((0, 60), (6, 60))) == [
        (0, "d1", "open", "critical", "hot"),
        (5, "d1", "cancelled", "critical", "hot"),
    ]
    by_site = HOT | {"scope": {"sites": ["a"]}}
    told = [("d1", 0, {"temperature_c": 60.0}, "a"), ("d1", 1, {"temperature_c": 60.0}, "b")]
    assert judged([by_site], told) == [(0, "d1", "open", "critical", "hot"), (1, "d1", "cancelled", "critical", "hot")]


def test_what_flapping_withheld_is_told_when_it_is_no_longer_watched_for():
    flap = {"kind": "flapping", "id": "flap", "rule": "hot", "opens": 2, "within": "60s"}
    told = temperatures((0, 60), (1, 30), (2, 60), (3, 30), (4, 60))
    assert changing([HOT, flap], [HOT], told)[-2:] == [
        (5, "d1", "cancelled", "warning", "flap"),
        (5, "d1", "open", "critical", "hot"),
    ]


def test_other_limits_start_the_time_that_a_level_must_last_anew():
    rule = HOT | {"above": {"critical": 40}, "for": "4s"}
    told = temperatures((1, 45), (4.9, 45), (6, 55), (9, 55), (10, 55))
    assert changing([rule], [rule | {"above": {"critical": 50}}], told) == [(10, "d1", "open", "critical", "hot")]
    assert changing([HOT], [HOT | {"for": "1h"}], temperatures((0, 60), (6, 60))) == [
        (0, "d1", "open", "critical", "hot")
    ]


def test_an_alert_that_opens_twice_at_one_instant_goes_on_with_its_revisions():
    told = [("d1", 1, {"temperature_c": 30.0}), ("d1", 1, {"temperature_c": 45.0}), ("d1", 1, {"humidity": 1.0})]
    hot, cold = HOT, {"kind": "threshold", "id": "cold", "metric": "temperature_c", "below": {"critical": 35}}
    revisions = watch(hot, cold).advance(rows(*told), T0 + 1_000)
    assert len({(r.alert_id, r.revision) for r in revisions}) == len(revisions)
    thrice = [("d1", 1, {"temperature_c": v, "humidity": h}) for h, v in ((1.0, 60.0), (2.0, 20.0), (3.0, 61.0))]
    revisions = watch(HOT).advance(in_order([(readings(*thrice), 0, 2**62)]), T0 + 1_000)
    assert [r.revision for r in revisions] == list(range(1, len(revisions) + 1))


def test_forgetting_depends_on_no_batch():
    told = [
        *temperatures((0, 60), (9 * 86_400, 60)),
        *temperatures(*((d * 86_400, 20) for d in range(10)), device="d2"),
    ]
    whole = AnomalyWatch((version(HOT),), 7 * DAY_MS).advance(rows(*told), T0 + 9 * DAY_MS)
    apart, revisions = AnomalyWatch((version(HOT),), 7 * DAY_MS), []
    for one in sorted(told, key=lambda t: t[1]):
        revisions += apart.advance(rows(one), T0 + round(one[1] * 1000))
    assert brief(whole) == brief(revisions)
    assert [state for _, _, state, *_ in brief(whole)] == ["open", "expired", "open"]


def test_a_device_that_is_heard_without_readings_on_time_is_not_forgotten():
    """Its clock went wrong while it was hot: the alert stays, and ends when its clock is right and it has cooled."""
    watched = AnomalyWatch((version(HOT),), 300_000)
    made = watched.advance(rows(*temperatures((0, 60))), T0)
    for second in range(10, 1_000, 10):
        watched.hear({"d1": T0 + second * 1000, "stranger": T0})
        made += watched.advance(None, T0 + second * 1000)
    assert brief(made) == [(0, "d1", "open", "critical", "hot")]
    made += watched.advance(rows(*temperatures((1_010, 20))), T0 + 1_010_000)
    assert brief(made)[1:] == [(1_010, "d1", "recovered", "critical", "hot")]


def test_a_device_that_is_heard_no_more_is_forgotten_after_it_was_heard_last():
    watched = AnomalyWatch((version(HOT),), 300_000)
    watched.advance(rows(*temperatures((0, 60))), T0)
    watched.hear({"d1": T0 + 200_000})
    assert watched.advance(None, T0 + 599_000) == []
    assert brief(watched.advance(None, T0 + 600_000)) == [(600, "d1", "expired", "critical", "hot")]


def test_what_a_device_was_heard_by_keeps_its_memory_for_its_next_reading_on_time():
    rule = HOT | {"hysteresis": 5}
    for heard in (False, True):
        watched = AnomalyWatch((version(rule),), 300_000)
        watched.advance(rows(*temperatures((0, 60))), T0)
        if heard:
            watched.hear({"d1": T0 + 290_000})
        again = watched.snapshot()
        watched = AnomalyWatch((version(rule),), 300_000, again, watched.heard_ms)
        made = watched.advance(rows(*temperatures((400, 48))), T0 + 400_000)
        assert brief(made)[-1:] == ([] if heard else [(400, "d1", "open", "warning", "hot")])


def test_the_metrics_that_came_are_known_also_those_without_a_unit_that_a_rule_needs() -> None:
    air = {"kind": "threshold", "id": "air", "metric": "co2", "above": {"critical": 1000}}
    followed = watch(HOT, air)
    followed.advance(rows(("d1", 0, {"humidity": 40.0}), ("d1", 1, {"co2": 900.0, "pm25": 3.0})), T0 + 1_000)
    assert followed.metrics == {"humidity", "co2"}
    followed.advance(rows(*temperatures((2, 20))), T0 + 2_000)
    assert followed.metrics == {"humidity", "co2", "temperature_c"}
