"""What is wrong with readings, rule by rule, on small timelines."""

import random

import pytest

from fleetpulse.alerts import Revision
from fleetpulse.anomaly.watch import AnomalyWatch
from fleetpulse.records.dialects import NOWHERE, Location
from fleetpulse.records.frames import Readings
from fleetpulse.records.rows import in_order
from fleetpulse.rules.checks import check
from fleetpulse.rules.model import read
from fleetpulse.rules.versions import Version

T0 = 1_767_225_600_000
DAY_MS = 86_400_000


def version(*rules: dict, number: int = 1, effective_from_ms: int = 0) -> Version:
    return Version(number, effective_from_ms, check(read({"rules": list(rules)})))


def readings(*told: tuple) -> Readings:
    """Rows of (device, seconds after T0, metrics) and perhaps a site."""
    known = ("temperature_c", "humidity", "lat", "lon", "battery")
    columns = {name: [metrics.get(name) for _, _, metrics, *_ in told] for name in known}
    others = {
        row: {name: value for name, value in metrics.items() if name not in known}
        for row, (_, _, metrics, *_) in enumerate(told)
    }
    sites = [Location(rest[0]) if rest else NOWHERE for _, _, _, *rest in told]
    locations = list(dict.fromkeys(sites)) if any(sites) and set(sites) != {NOWHERE} else []
    return Readings(
        [device for device, *_ in told],
        [T0 + round(s * 1000) for _, s, *_ in told],
        {name: column for name, column in columns.items() if column.count(None) < len(column)},
        {row: metrics for row, metrics in others.items() if metrics},
        locations,
        [locations.index(site) for site in sites] if locations else [],
    )


def rows(*told: tuple):
    return in_order([(readings(*told), 0, 2**62)])


def watch(*rules: dict) -> AnomalyWatch:
    return AnomalyWatch((version(*rules),), 7 * DAY_MS)


def judged(rules: list[dict], told: list[tuple]) -> list[tuple]:
    """(seconds, device, state, severity, rule) of what these readings give."""
    until_ms = T0 + round(max(s for _, s, *_ in told) * 1000)
    return brief(watch(*rules).advance(rows(*told), until_ms))


def brief(revisions: list[Revision]) -> list[tuple]:
    return [((r.changed_at_ms - T0) / 1000, r.device_id, str(r.state), r.severity, r.rule_id) for r in revisions]


def temperatures(*told: tuple[float, float], device: str = "d1") -> list[tuple]:
    return [(device, s, {"temperature_c": value}) for s, value in told]


HOT = {"kind": "threshold", "id": "hot", "metric": "temperature_c", "above": {"warning": 40, "critical": 50}}


def test_a_limit_is_strict_and_severity_follows_the_value():
    #  s   0   10    20   30   40   50
    #  °C 40   41    50   51   45   40
    told = temperatures((0, 40), (10, 41), (20, 50), (30, 51), (40, 45), (50, 40))
    assert judged([HOT], told) == [
        (10, "d1", "open", "warning", "hot"),
        (30, "d1", "updated", "critical", "hot"),
        (40, "d1", "updated", "warning", "hot"),
        (50, "d1", "recovered", "warning", "hot"),
    ]


def test_hysteresis_keeps_a_level_until_the_value_is_back_far_enough():
    rule = HOT | {"hysteresis": 2}
    told = temperatures((0, 51), (1, 49), (2, 48), (3, 39), (4, 38))
    assert judged([rule], told) == [
        (0, "d1", "open", "critical", "hot"),
        (2, "d1", "updated", "warning", "hot"),
        (4, "d1", "recovered", "warning", "hot"),
    ]


def test_below_is_the_same_the_other_way_round():
    rule = {"kind": "battery", "id": "low", "below": {"warning": 20, "critical": 10}, "hysteresis": 1}
    told = [("d1", s, {"battery": v}) for s, v in [(0, 20), (1, 19), (2, 9), (3, 10.5), (4, 11), (5, 20.5), (6, 21)]]
    assert judged([rule], told) == [
        (1, "d1", "open", "warning", "low"),
        (2, "d1", "updated", "critical", "low"),
        (4, "d1", "updated", "warning", "low"),
        (6, "d1", "recovered", "warning", "low"),
    ]


def test_a_level_counts_once_it_has_lasted():
    rule = HOT | {"for": "10s"}
    told = temperatures((0, 41), (5, 39), (6, 41), (12, 55), (16, 55), (22, 55), (30, 30))
    assert judged([rule], told) == [
        (16, "d1", "open", "warning", "hot"),
        (22, "d1", "updated", "critical", "hot"),
        (30, "d1", "recovered", "critical", "hot"),
    ]


def test_rate_is_told_per_period_up_and_down():
    rule = {"kind": "rate", "id": "jump", "metric": "temperature_c", "above": {"critical": 60}, "per": "1m"}
    told = temperatures((0, 20), (10, 30), (20, 41), (20, 41), (30, 30), (40, 30))
    assert judged([rule], told) == [(20, "d1", "open", "critical", "jump"), (40, "d1", "recovered", "critical", "jump")]


def test_stuck_opens_once_a_value_has_not_moved_for_long():
    rule = {"kind": "stuck", "id": "flat", "metric": "temperature_c", "for": "20s", "tolerance": 0.15}
    told = temperatures((0, 20), (10, 20.05), (20, 20.1), (30, 20.1), (40, 20.2))
    assert judged([rule], told) == [(20, "d1", "open", "warning", "flat"), (40, "d1", "recovered", "warning", "flat")]


def test_missing_is_a_stale_signal_of_a_device_that_speaks():
    rule = {"kind": "missing", "id": "stale", "metric": "humidity", "for": "20s"}
    told = [("d1", 0, {"humidity": 1.0}), ("d1", 10, {}), ("d1", 20, {}), ("d1", 30, {}), ("d1", 40, {"humidity": 1.0})]
    told += [("never", 5, {}), ("never", 25, {})]
    assert judged([rule], told) == [
        (20, "d1", "open", "warning", "stale"),
        (25, "never", "open", "warning", "stale"),
        (40, "d1", "recovered", "warning", "stale"),
    ]


@pytest.mark.parametrize(
    "area",
    [
        {"shape": "circle", "lat": 48.0, "lon": 11.0, "radius_m": 1000},
        {"shape": "polygon", "corners": [[47.99, 10.99], [47.99, 11.01], [48.01, 11.01], [48.01, 10.99]]},
    ],
    ids=["circle", "polygon"],
)
def test_a_fence_is_left_and_entered(area):
    rule = {"kind": "geofence", "id": "home", "area": area}
    told = [("d1", s, {"lat": lat, "lon": 11.0}) for s, lat in [(0, 48.0), (1, 48.02), (2, 48.03), (3, 48.001)]]
    told.append(("d1", 4, {"lat": 50.0}))  # no place without both
    assert judged([rule], told) == [(1, "d1", "open", "warning", "home"), (3, "d1", "recovered", "warning", "home")]


def test_a_deviation_is_judged_once_warm_and_is_not_made_usual_by_one_outlier():
    rule = {"kind": "deviation", "id": "odd", "metric": "temperature_c", "sigmas": {"warning": 4, "critical": 8}}
    rng = random.Random(1)
    told = temperatures(*((s, 20 + rng.gauss(0, 0.5)) for s in range(200)), (200, 30), (201, 20), (202, 30), (203, 20))
    told = [*temperatures((0.5, 90), device="cold"), *told]
    assert judged([rule], told) == [
        (200, "d1", "open", "critical", "odd"),
        (201, "d1", "recovered", "critical", "odd"),
        (202, "d1", "open", "critical", "odd"),
        (203, "d1", "recovered", "critical", "odd"),
    ]


BOTH = {
    "kind": "condition",
    "id": "both",
    "severity": "critical",
    "when": {"all": [{"rule": "hot"}, {"not": {"metric": "humidity", "above": 30}}]},
}


def test_a_condition_holds_when_its_parts_do_and_what_is_unknown_is_not_false():
    #  hot, humidity unknown; then humid; then dry: now it holds; then cool
    told = [
        ("d1", 0, {"temperature_c": 45.0}),
        ("d1", 1, {"humidity": 40.0}),
        ("d1", 2, {"humidity": 20.0}),
        ("d1", 3, {"temperature_c": 30.0}),
    ]
    assert [r for r in judged([HOT, BOTH], told) if r[-1] == "both"] == [
        (2, "d1", "open", "critical", "both"),
        (3, "d1", "recovered", "critical", "both"),
    ]


def test_a_condition_can_have_to_last():
    rule = BOTH | {"for": "5s"}
    told = [("d1", s, {"temperature_c": 45.0, "humidity": 10.0}) for s in (0, 3, 6, 9)]
    told += [("d2", s, {"temperature_c": 45.0, "humidity": 10.0}) for s in (1, 2)]
    assert [r for r in judged([HOT, rule], told) if r[-1] == "both"] == [(6, "d1", "open", "critical", "both")]


def test_any_holds_by_one_part_whatever_is_unknown():
    either = {"metric": "temperature_c", "above": 44}, {"metric": "humidity", "below": 5}
    rule = {"kind": "condition", "id": "either", "when": {"any": list(either)}}
    told = temperatures((0, 40), (1, 45), (2, 40))
    assert judged([rule], told) == [(1, "d1", "open", "warning", "either"), (2, "d1", "recovered", "warning", "either")]


def test_flapping_becomes_one_alert_with_a_count():
    flap = {"kind": "flapping", "id": "flap", "rule": "hot", "opens": 3, "within": "60s"}
    up_and_down = [(s, 45 if s % 10 == 0 else 30) for s in range(0, 65, 5)]
    revisions = watch(HOT, flap).advance(rows(*temperatures(*up_and_down, (125, 45), (130, 45))), T0 + 130_000)
    assert brief(revisions) == [
        (0, "d1", "open", "warning", "hot"),
        (5, "d1", "recovered", "warning", "hot"),
        (10, "d1", "open", "warning", "hot"),
        (15, "d1", "recovered", "warning", "hot"),
        (20, "d1", "open", "warning", "hot"),
        (20, "d1", "open", "warning", "flap"),
        (25, "d1", "recovered", "warning", "hot"),
        (125, "d1", "recovered", "warning", "flap"),
        (125, "d1", "open", "warning", "hot"),
    ]
    assert [r.value for r in revisions if r.rule_id == "flap"] == [3.0, 7.0]


def test_what_still_holds_when_flapping_ends_is_said_aloud():
    flap = {"kind": "flapping", "id": "flap", "rule": "hot", "opens": 2, "within": "10s"}
    told = temperatures((0, 45), (1, 30), (2, 45), (3, 30), (4, 46), (14, 47), (15, 48))
    revisions = watch(HOT, flap).advance(rows(*told), T0 + 15_000)
    assert brief(revisions)[-2:] == [(15, "d1", "recovered", "warning", "flap"), (15, "d1", "open", "warning", "hot")]
    assert revisions[-1].value == 46


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


def test_metrics_without_a_name_of_their_own_are_judged_too():
    rule = {"kind": "threshold", "id": "air", "metric": "co2", "above": {"critical": 1000}}
    told = [("d1", 0, {"co2": 900.0}), ("d1", 1, {"co2": 1100.0}), ("d1", 2, {"temperature_c": 1.0})]
    assert judged([rule], told) == [(1, "d1", "open", "critical", "air")]


def test_an_alert_says_what_it_rests_on():
    (opened,) = watch(HOT | {"for": "2s"}).advance(rows(*temperatures((0, 41.5), (2, 42.5))), T0 + 2_000)
    assert (opened.value, opened.unit, opened.limit, opened.metric) == (42.5, "°C", 40, "temperature_c")
    assert opened.evidence == {"since_ms": T0, "for_ms": 2000, "recent": ((T0, 41.5), (T0 + 2000, 42.5))}
    assert opened.extra == {"rule_version": 1}
    assert opened.summary == "d1: temperature_c is 42.5 °C, above 40 °C, for 2 s."


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
    rules = version(*ALL_KINDS), version(*ALL_KINDS[1:], HOT, number=2, effective_from_ms=T0 + 30_000)
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


def test_a_value_that_is_beyond_all_bounds_does_not_blind_a_rule_for_ever():
    rule = {"kind": "deviation", "id": "odd", "metric": "temperature_c", "sigmas": {"warning": 5}, "warm_up": 5}
    rng = random.Random(3)
    usual = [(s, 20 + rng.random()) for s in range(1, 60)]
    assert judged([rule], temperatures((0, 1e200), *usual, (60, 90)))[-1] == (60, "d1", "open", "warning", "odd")
