"""A backtest makes the alerts that shards make of the same records, whatever its batches."""

import random

import pytest

from fleetpulse.alerts import AlertState, Revision, to_json
from fleetpulse.backtest.changes import changes
from fleetpulse.backtest.run import in_order, run_history
from fleetpulse.backtest.sources.records import record_of, without_detection
from fleetpulse.records.frames import Original
from tests.unit.fleetpulse.backtest.histories import SETTINGS, streams
from tests.unit.fleetpulse.shard.test_monitoring_shard import POLICY, RULES, T0, VERSIONS, history, run, version

END_MS = T0 + 180_000


def of_shards(records: list[Original]) -> list[Revision]:
    outputs = run(records, POLICY, random.Random(1), restart_probability=0.1).outputs
    return in_order([output for output in outputs if isinstance(output, Revision)])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("partitions", "size", "at_once"), [(1, 7, 1), (3, 50, 40), (5, 1000, 50_000)])
def test_a_backtest_equals_a_run_of_shards(seed, partitions, size, at_once, monkeypatch):
    monkeypatch.setattr("fleetpulse.backtest.run.CHUNK", at_once)
    records = history(seed)
    judged = run_history(streams(records, partitions, size), SETTINGS, [VERSIONS], END_MS)
    assert judged.revisions == [of_shards(records)]
    assert (judged.read.records, judged.read.late, judged.read.decided_until_ms) == (len(records), 0, END_MS)


def test_nothing_is_decided_after_the_end_that_was_stated():
    records = history(2)
    until_ms = T0 + 90_000  # an instant of evaluation: it is decided
    [revisions] = run_history(streams(records, 3), SETTINGS, [VERSIONS], until_ms).revisions
    assert revisions == [r for r in of_shards(records) if r.changed_at_ms <= until_ms]
    assert max(r.changed_at_ms for r in revisions) == until_ms


def test_what_comes_after_the_end_is_not_even_read():
    records = history(2)
    judged = run_history(streams(records, 2, size=5), SETTINGS, [VERSIONS], T0 + 20_000)
    assert 0 < judged.read.records < len(records) / 2


def test_without_an_end_all_readings_are_judged_and_no_instant_after_the_last_watermark():
    value = b'{"device_id":"%s","ts":%d,"temperature_c":60}'
    times = [(b"d2", 0), (b"d2", 93_000), (b"d2", 96_000)]
    records = [Original(0, n, T0 + at, None, value % (d, T0 + at)) for n, (d, at) in enumerate(times)]
    [revisions] = run_history(
        streams(records), SETTINGS, [(version([RULES[0] | {"for": "0s"}], 1, 0),)], None
    ).revisions
    assert [(r.rule_id, str(r.state), r.changed_at_ms - T0) for r in revisions] == [
        ("hot", "open", 0),
        ("inactivity", "open", 90_000),
        ("inactivity", "recovered", 93_000),
    ]
    [before] = run_history(streams(records[:2]), SETTINGS, [()], None).revisions
    assert [r.changed_at_ms - T0 for r in before] == [90_000, 93_000]
    sooner = [records[0], records[1]._replace(value=value % (b"d2", T0 + 91_000))]
    [early] = run_history(streams(sooner), SETTINGS, [()]).revisions
    assert early == []


def test_late_readings_are_counted_and_their_devices_named(monkeypatch):
    monkeypatch.setattr("fleetpulse.backtest.run.CHUNK", 1)
    value = b'{"device_id":"d%d","ts":%d,"temperature_c":1}'
    times = [(1, 10_000), (2, 30_000), (3, 28_000), (4, 27_999)]
    records = [Original(0, n, T0 + 30_000, None, value % (d, T0 + at)) for n, (d, at) in enumerate(times)]
    read = run_history(streams(records, size=1), SETTINGS, [()]).read
    assert (read.late, read.late_devices, read.rejected) == (1, {"d4"}, 0)


def test_rejected_records_are_counted_and_judge_nothing():
    records = [Original(0, n, T0, None, b'{"device_id":"d1","temperature_c":"hot"}') for n in range(3)]
    judged = run_history(streams(records), SETTINGS, [VERSIONS], T0)
    assert (judged.read.records, judged.read.rejected) == (3, 3)


def test_rules_side_by_side_judge_as_if_alone_and_their_changes_are_told():
    records = history(4)
    old, new = (version(RULES, 1, 0),), (version([r for r in RULES if r["id"] not in ("hot", "both")], 1, 0),)
    both = run_history(streams(records, 2), SETTINGS, [old, new], END_MS).revisions
    alone = [run_history(streams(records, 2), SETTINGS, [book], END_MS).revisions[0] for book in (old, new)]
    assert both == alone
    found = changes(*both)
    opened = [r for r in both[0] if r.state is AlertState.OPEN]
    assert {r.rule_id for r in found.lost} == {"hot", "both"} & {r.rule_id for r in opened}
    assert [*found.told()] == [("lost", r) for r in opened if r.rule_id in ("hot", "both")]
    assert (found.gained, found.kept) == ([], len(opened) - len(found.lost))
    assert [what for what, _ in changes(both[1], both[0]).told()] == ["gained"] * len(found.lost)


def test_a_record_equals_the_one_on_the_topic_but_for_when_it_was_detected():
    [revisions] = run_history(streams(history(1)), SETTINGS, [VERSIONS], END_MS).revisions
    assert revisions
    for revision in revisions:
        live = to_json(revision, END_MS)
        assert record_of(revision) == without_detection(live) != live
