"""A shard that decides everything decides the same however its records arrive, and whatever happens to its process."""

import json
import math
import random
from collections import defaultdict
from dataclasses import replace

import pytest

from fleetpulse.alerts import Revision
from fleetpulse.frames.frame import Original
from fleetpulse.inactivity.timeouts import InactivityPolicy
from fleetpulse.rules.checks import check
from fleetpulse.rules.model import read
from fleetpulse.rules.versions import Version, encode
from fleetpulse.shard.clock import END_OF_INPUT_MS
from fleetpulse.shard.readings import ReadingPolicy
from fleetpulse.shard.shard import Late, ShardPolicy
from fleetpulse.windows.tumbling import Aggregate, WindowPolicy
from tests.unit.fleetpulse.shard.keyed import Keyed

T0 = 1_767_225_600_000
BOUND_MS = 2_000
RULES = [
    {
        "kind": "threshold",
        "id": "hot",
        "metric": "temperature_c",
        "above": {"warning": 40, "critical": 50},
        "for": "3s",
    },
    {"kind": "rate", "id": "jump", "metric": "temperature_c", "above": {"warning": 500}},
    {"kind": "stuck", "id": "flat", "metric": "humidity", "for": "20s"},
    {"kind": "missing", "id": "stale", "metric": "humidity", "for": "15s"},
    {"kind": "deviation", "id": "odd", "metric": "temperature_c", "sigmas": {"warning": 1.3}, "warm_up": 10},
    {"kind": "condition", "id": "both", "when": {"all": [{"rule": "hot"}, {"metric": "humidity", "below": 40}]}},
    {"kind": "flapping", "id": "flap", "rule": "jump", "opens": 3, "within": "30s"},
    {"kind": "inactivity", "id": "quick", "scope": {"devices": ["d1*"]}, "timeout": "20s"},
    {"kind": "never_seen", "id": "absent", "devices": ["ghost", "d3"], "within": "40s"},
]


def version(rules: list[dict], number: int, from_s: int) -> Version:
    effective_ms = T0 + from_s * 1000 if from_s else 0
    return Version(number, effective_ms, check(read({"rules": rules})), None if from_s else T0)


VERSIONS = (version(RULES, 1, 0), version([*RULES[1:], RULES[0] | {"above": {"critical": 45}}], 2, 90))
POLICY = ShardPolicy(
    ("telemetry.raw",),
    shards=1,
    readings=ReadingPolicy(evaluate_rules=True, windows=WindowPolicy(10_000)),
    versions=VERSIONS,
)


def history(seed: int) -> list[Original]:
    """Three minutes of twelve devices in three dialects, some of them silent for a while."""
    rng = random.Random(seed)
    records = []
    for i in range(12):
        at, silent_until, humidity = rng.randrange(0, 5_000), 0, 50.0
        while at < 180_000:
            if at >= silent_until:
                if rng.random() < 0.02:
                    silent_until = at + rng.randrange(15_000, 100_000)
                else:
                    humidity = humidity if rng.random() < 0.7 else float(rng.randrange(20, 60))
                    records.append(_record(rng, i, at, humidity))
            at += rng.randrange(500, 2_500)
    records.sort(key=lambda r: r.kafka_time_ms)
    return [record._replace(offset=offset) for offset, record in enumerate(records)]


def _record(rng: random.Random, i: int, at: int, humidity: float) -> Original:
    temperature = round(rng.choice([30.0, 38.5, 41.0, 52.0]) + rng.random(), 2)
    if i % 3 == 0:
        value = {"device_id": f"d{i}", "ts": T0 + at, "temperature_c": temperature, "humidity": humidity}
        if rng.random() < 0.4:
            del value["humidity"]
    elif i % 3 == 1:
        place = {"factory_section": f"hall-{i % 2}"}
        value = {"sensor_id": f"d{i}", "timestamp": T0 + at, "location": place}
        value |= {"sensor_type": "temperature", "value": temperature, "unit": "°C"}
    else:
        payload = {"value": humidity, "unit": "%"}
        value = {"device_id": f"d{i}", "ts": T0 + at, "event_type": "humidity", "payload": payload}
    return Original(0, 0, T0 + at, None, json.dumps(value).encode())


def run(records, policy, rng, restart_probability=0.0) -> Keyed:
    keyed, highest_ms, at = Keyed(policy), 0, 0
    while at < len(records):
        batch = records[at : at + rng.randrange(1, 60)]
        at += len(batch)
        keyed.accept(batch)
        highest_ms = max(highest_ms, *(r.kafka_time_ms for r in batch))
        if rng.random() < 0.7:
            keyed.advance(highest_ms - BOUND_MS - 1)
        if rng.random() < restart_probability:
            keyed.restart()
    keyed.advance(T0 + 180_000)
    return keyed


def alerts(keyed: Keyed) -> list[str]:
    return sorted(str(output) for output in keyed.outputs if isinstance(output, Revision))


def aggregates(keyed: Keyed) -> list[Aggregate]:
    return sorted(output for output in keyed.outputs if isinstance(output, Aggregate))


@pytest.mark.parametrize("seed", range(8))
def test_order_batches_shards_and_restarts_change_no_alert_and_no_window(seed):
    rng = random.Random(seed)
    records = history(seed)
    plain = run(records, POLICY, random.Random(0))
    rules = {output.rule_id for output in plain.outputs if isinstance(output, Revision)}
    assert rules >= {"hot", "jump", "flat", "odd", "absent"}
    for shards in (1, 3):
        shuffled = sorted(records, key=lambda r: r.kafka_time_ms + rng.randrange(0, BOUND_MS))
        other = run(shuffled, replace(POLICY, shards=shards), rng, restart_probability=0.3)
        assert alerts(other) == alerts(plain)
        assert aggregates(other) == aggregates(plain)
        assert not [o for o in other.outputs if isinstance(o, Late)]


def test_rules_that_come_while_it_runs_take_effect_at_their_instant():
    records = history(3)
    first, second = VERSIONS
    known = run(records, POLICY, random.Random(0))
    late = Keyed(replace(POLICY, versions=(first,)))
    for record in records:
        late.accept([record])
        if record.kafka_time_ms > T0 + 60_000:
            late.learn(encode(second))
        if record.kafka_time_ms > T0 + 70_000 and len(late.shards) == 1:
            late.restart()
        late.advance(record.kafka_time_ms - BOUND_MS - 1)
    late.advance(T0 + 180_000)
    assert alerts(late) == alerts(known)


def test_an_alert_says_which_version_of_the_rules_made_it():
    made = {o.extra.get("rule_version") for o in run(history(1), POLICY, random.Random(0)).outputs if _is_hot(o)}
    assert made == {1, 2}


def _is_hot(output: object) -> bool:
    return isinstance(output, Revision) and output.rule_id == "hot"


def test_windows_equal_a_plain_sum_of_what_was_read():
    records = history(5)
    expected: dict[tuple, list] = defaultdict(list)
    for record in records:
        value = json.loads(record.value)
        start_ms = record.kafka_time_ms // 10_000 * 10_000
        device = value.get("device_id") or value["sensor_id"]
        for metric in ("temperature_c", "humidity"):
            if metric in value:
                expected[device, metric, start_ms].append(value[metric])
        if "sensor_id" in value:
            expected[device, "temperature_c", start_ms].append(value["value"])
        if "payload" in value:
            expected[device, "humidity", start_ms].append(value["payload"]["value"])
    found = {(a.device_id, a.metric, a.start_ms): a.total for a in aggregates(run(records, POLICY, random.Random(1)))}
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        total = found[key]
        assert (total.count, total.min, total.max, total.last) == (len(values), min(values), max(values), values[-1])
        assert math.isclose(total.sum, sum(values), rel_tol=1e-12)
        assert total.p95 in values


def test_wide_windows_are_made_of_minutes_and_survive_restarts():
    policy = ShardPolicy(("t",), 1, None, ReadingPolicy(windows=WindowPolicy(120_000)))
    keyed = Keyed(policy)
    for second in range(0, 250, 5):
        value = json.dumps({"device_id": "d1", "ts": T0 + second * 1000, "humidity": second})
        keyed.accept([Original(0, second, T0 + second * 1000, None, value.encode())])
        keyed.advance(T0 + second * 1000 - 1)
        keyed.restart()
    assert [(a.start_ms - T0, a.total.count, a.total.min, a.total.max, a.total.p95) for a in aggregates(keyed)] == [
        (0, 24, 0, 115, None),
        (120_000, 24, 120, 235, None),
    ]


def test_an_open_window_is_not_told_at_the_end_of_input():
    keyed = run(history(2), POLICY, random.Random(0))
    before = len(keyed.outputs)
    keyed.accept([Original(0, 9, T0 + 190_000, None, b'{"device_id":"d0","ts":%d,"humidity":1}' % (T0 + 190_000))])
    keyed.advance(END_OF_INPUT_MS)
    assert not [o for o in keyed.outputs[before:] if isinstance(o, Aggregate)]


def test_what_is_late_is_in_no_window():
    keyed = Keyed(POLICY)
    value = b'{"device_id":"d1","ts":%d,"humidity":1}'
    keyed.accept([Original(0, 0, T0 + 5_000, None, value % (T0 + 5_000))])
    keyed.advance(T0 + 6_000)
    keyed.accept(
        [Original(0, 1, T0 + 7_000, None, value % (T0 + 4_000)), Original(0, 2, T0 + 7_000, None, value % (T0 + 7_000))]
    )
    keyed.advance(T0 + 20_000)
    (total,) = [a.total for a in aggregates(keyed)]
    assert total.count == 2


def test_the_log_does_not_grow_with_time():
    keyed = Keyed(POLICY)
    sizes = []
    for minute in range(30):
        for second in range(60):
            at = T0 + minute * 60_000 + second * 1000
            values = [
                b'{"device_id":"d%d","ts":%d,"temperature_c":20.5,"humidity":%d}' % (d, at, second) for d in range(40)
            ]
            keyed.accept([Original(0, 0, at, None, value) for value in values])
            keyed.advance(at - BOUND_MS)
        sizes.append(sum(map(len, keyed.state[0].values())))
    assert max(sizes[15:]) < 2 * max(sizes[8:15])


def test_a_device_that_never_reports_is_missed_from_when_it_could_be_expected_on():
    opened = [o for o in run(history(1), POLICY, random.Random(0)).outputs if getattr(o, "kind", "") == "never_seen"]
    assert [(o.device_id, o.state, o.opened_at_ms - T0, o.rule_id) for o in opened] == [
        ("ghost", "open", 60_000, "absent")
    ]
    assert opened[0].summary.startswith("ghost has never been heard: it was to report within 40 s from 2026-01-01T00")


def test_a_device_that_reports_late_ends_its_alert_for_good():
    keyed = Keyed(replace(POLICY, versions=VERSIONS[:1]))
    keyed.accept([Original(0, 0, T0 + 1_000, None, b'{"device_id":"d1","ts":%d}' % (T0 + 1_000))])
    keyed.advance(T0 + 65_000)
    keyed.restart()
    keyed.accept([Original(0, 1, T0 + 70_000, None, b'{"device_id":"ghost","ts":%d}' % (T0 + 70_000))])
    keyed.advance(T0 + 95_000)
    keyed.restart()
    keyed.advance(T0 + 131_000)
    of_ghost = [o for o in keyed.outputs if isinstance(o, Revision) and o.device_id == "ghost"]
    assert [(o.state, o.rule_id, o.changed_at_ms - T0) for o in of_ghost] == [
        ("open", "absent", 60_000),
        ("recovered", "absent", 70_000),
    ]


def test_values_whose_sum_is_beyond_all_numbers_make_a_window_all_the_same():
    keyed = Keyed(POLICY)
    value = b'{"device_id":"d1","ts":%d,"humidity":1.7e308,"lat":132.0,"lon":-169.0}'
    keyed.accept([Original(0, n, T0 + 5_000 + n, None, value % (T0 + 5_000 + n)) for n in range(3)])
    keyed.advance(T0 + 20_000)
    assert {a.metric: math.isfinite(a.total.sum) for a in aggregates(keyed)} == {
        "humidity": True,
        "lat": True,
        "lon": True,
    }


@pytest.mark.parametrize("restarted", [False, True])
def test_rules_that_come_too_late_take_effect_when_they_come_and_once(restarted):
    keyed = Keyed(replace(POLICY, versions=VERSIONS[:1]))
    value = b'{"device_id":"d0","ts":%d,"temperature_c":60}'
    for second in range(60):
        at_ms = T0 + second * 1000
        keyed.accept([Original(0, second, at_ms, None, value % at_ms)])
        keyed.advance(at_ms)
        if second == 30:
            rule = {"kind": "rate", "id": "hot", "metric": "humidity", "above": {"warning": 5}}
            late = version([rule, *[r for r in RULES if r["id"] not in ("hot", "both")]], 2, 10)
            for shard in keyed.shards.values():
                keyed.outputs += shard.learn(encode(late))
                keyed._write(0)
        if restarted and second in (30, 40):
            keyed.restart()
    of_hot = [(o.state, (o.changed_at_ms - T0) // 1000) for o in keyed.outputs if _is_hot(o)]
    assert of_hot == [("open", 3), ("cancelled", 30)]


def test_a_device_that_is_off_the_list_is_expected_no_longer():
    without = [r | {"devices": ["d3"]} if r["id"] == "absent" else r for r in RULES]
    keyed = Keyed(replace(POLICY, versions=(VERSIONS[0], version(without, 2, 90))))
    keyed.accept([Original(0, 0, T0 + 1_000, None, b'{"device_id":"d3","ts":%d}' % (T0 + 1_000))])
    keyed.advance(T0 + 120_000)
    of_ghost = [o for o in keyed.outputs if getattr(o, "device_id", "") == "ghost"]
    assert [(o.state, o.changed_at_ms - T0) for o in of_ghost] == [("open", 60_000), ("cancelled", 90_000)]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_device_with_a_wrong_clock_keeps_its_alerts_and_what_rules_remember(restarted):
    """It is hot when its clock goes wrong. It speaks all the time, so neither is forgotten."""
    readings = replace(POLICY.readings, forget_after_ms=120_000)
    silence = InactivityPolicy(forget_after_ms=120_000)
    keyed = Keyed(replace(POLICY, versions=VERSIONS[:1], readings=readings, inactivity=silence))
    for second in range(0, 900, 5):
        at_ms = T0 + second * 1000
        says_ms = at_ms - 1024 * 7 * 86_400_000 if 60 < second < 600 else at_ms
        temperature = 60 if second < 700 else 20
        values = [b'{"device_id":"other","ts":%d,"temperature_c":20}' % at_ms]
        values.append(b'{"device_id":"d0","ts":%d,"temperature_c":%d}' % (says_ms, temperature))
        keyed.accept([Original(0, second, at_ms, None, value) for value in values])
        keyed.advance(at_ms - BOUND_MS - 1)
        if restarted and second % 60 == 0:
            keyed.shards.clear()
    of_device = [o for o in keyed.outputs if isinstance(o, Revision) and o.device_id == "d0" and o.rule_id != "odd"]
    assert [(o.rule_id, str(o.state), (o.changed_at_ms - T0) // 1000) for o in of_device if o.rule_id == "hot"] == [
        ("hot", "open", 5),
        ("hot", "recovered", 700),
    ]
    assert {o.state for o in of_device if o.kind == "clock"} == {"open", "recovered"}
    assert not [o for o in of_device if o.kind == "inactivity"]
