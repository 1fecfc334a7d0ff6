"""A backtest makes the alerts that shards make of the same records, whatever its batches."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetpulse.alerts import AlertState, Revision, to_json
from fleetpulse.backtest import show
from fleetpulse.backtest.changes import changes
from fleetpulse.backtest.run import in_order, run_history
from fleetpulse.backtest.sources.history import Chunk, Stream
from fleetpulse.backtest.sources.records import record_of, without_detection
from fleetpulse.frames.frame import Batch, Original, frame_of
from fleetpulse.frames.order import PartitionOrder
from fleetpulse.shard.shard import Output
from tests.unit.fleetpulse.backtest.histories import SETTINGS, partition_of, streams
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


def late_record(n: int, device: bytes, event_s: float, kafka_s: float) -> Original:
    value = b'{"device_id":"%s","ts":%d,"temperature_c":80}' % (device, T0 + round(event_s * 1000))
    return Original(0, n, T0 + round(kafka_s * 1000), None, value)


def steady(until_s: int) -> list[tuple[bytes, float, float]]:
    return [(b"good", at, at) for at in range(0, until_s, 10)]


HOT = (version([RULES[0] | {"for": "0s"}], 1, 0),)


@pytest.mark.parametrize(("partitions", "size"), [(1, 1), (1, 7), (1, 10_000), (4, 3), (4, 10_000)])
def test_batches_that_come_every_two_hours_are_late_whatever_the_chunks(partitions, size):
    """The job has decided their time when they come: they are counted as late, and judged by no rule."""
    times = steady(7_200) + [(b"batcher", at, 7_200) for at in range(60, 7_200, 60)] + [(b"good", 7_200, 7_200)]
    records = [late_record(n, *time) for n, time in enumerate(times)]
    judged = run_history(streams(records, partitions, size), SETTINGS, [HOT])
    assert (judged.read.late, judged.read.late_devices) == (119, {"batcher"})
    assert {r.device_id for r in judged.revisions[0] if r.rule_id == "hot"} == {"good"}


@pytest.mark.parametrize(
    ("behind_s", "late"), [(1.999, 0), (2.0, 0), (2.001, 1), (3, 1), (3_600, 1)], ids=lambda v: str(v)
)
def test_a_record_is_late_when_its_time_was_decided_as_it_arrived(behind_s, late):
    times = [*steady(3_700), (b"slow", 3_690 - behind_s, 3_690), (b"good", 3_700, 3_700)]
    records = [late_record(n, *time) for n, time in enumerate(times)]
    assert run_history(streams(records), SETTINGS, [()]).read.late == late


def test_a_partition_that_lags_holds_time_until_it_is_idle():
    """The second partition is 20 s behind: on time while it speaks, and late where it begins, also after a pause."""
    ahead = [late_record(n, b"ahead", at, at) for n, at in enumerate(range(0, 600, 5))]
    behind = [late_record(n, b"behind", at - 20, at) for n, at in enumerate([*range(20, 200, 5), *range(400, 600, 5)])]
    both = [Stream("t", p, iter([chunk(own)])) for p, own in enumerate((ahead, behind))]
    read = run_history(both, SETTINGS, [()]).read
    assert read.late_devices == {"behind"}
    assert read.late == 2 * 4  # until its time is beyond what had been decided without it


def chunk(records: list[Original]) -> Chunk:
    return Chunk([r.offset for r in records], [r.kafka_time_ms for r in records], [r.value for r in records])


@given(st.randoms(use_true_random=False), st.integers(1, 4), st.integers(1, 60))
@settings(max_examples=30)
def test_chunks_and_late_records_change_nothing_that_is_on_time(chance, partitions, size):
    """Late records of one device beside: the alerts of all others are those of a history without it."""
    records = history(5)
    late = [
        late_record(n, b"late", chance.uniform(-300, 100), chance.uniform(100, 170))
        for n in range(chance.randint(0, 20))
    ]
    mixed = sorted([*records, *late], key=lambda record: record.kafka_time_ms)
    [found] = run_history(streams(mixed, partitions, size), SETTINGS, [VERSIONS], END_MS).revisions
    [alone] = run_history(streams(records), SETTINGS, [VERSIONS], END_MS).revisions
    assert [r for r in found if r.device_id != "late"] == alone


def test_reasons_of_rejections_are_counted():
    records = [Original(0, n, T0, None, value) for n, value in enumerate([b"rubbish", b"rubbish", b"[]"])]
    read = run_history(streams_of_one(records), SETTINGS, [()]).read
    assert read.reasons.total() == read.rejected == 3
    assert "3 rejected (" in show.read(read, 0.1, decided=False)


def streams_of_one(records: list[Original]) -> list[Stream]:
    return [Stream("t", 0, iter([chunk(records)]))]


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_a_device_with_a_wrong_clock_is_not_silent_in_history_either(size):
    value = b'{"device_id":"%s","ts":%d}'
    records = []
    for second in range(0, 300, 5):
        at_ms = T0 + second * 1_000
        for device, says_ms in ((b"good", at_ms), (b"wrong", at_ms - 1024 * 7 * 86_400_000)):
            records.append(Original(0, len(records), at_ms, None, value % (device, says_ms)))
    [revisions] = run_history(streams(records, 1, size), SETTINGS, [()], None).revisions
    assert [(r.device_id, r.kind, str(r.state), r.changed_at_ms - T0) for r in revisions] == [
        ("wrong", "clock", "open", 60_000)
    ]


def one_by_one(records: list[Original], partitions: int, until_ms: int) -> tuple[list[Revision], int]:
    """What a job decides that takes each record as it arrives, and how many were late."""
    shard, order = SETTINGS.shard(VERSIONS), PartitionOrder(SETTINGS.out_of_orderness_ms)
    outputs: list[Output] = []
    clock = dict.fromkeys(range(partitions), 0)
    arriving = []
    for record in records:
        partition = partition_of(record, partitions)
        clock[partition] = max(clock[partition], record.kafka_time_ms)
        arriving.append((clock[partition], partition, record))
    newest: dict[int, int] = {}
    came: dict[int, int] = {}
    watermark_ms = late = 0
    for number, (arrival_ms, partition, record) in enumerate(sorted(arriving, key=lambda a: a[:2])):
        if came:
            active = [newest[p] for p, at_ms in came.items() if arrival_ms - at_ms <= SETTINGS.idle_timeout_ms]
            watermark_ms = max(watermark_ms, min([*active, arrival_ms]) - SETTINGS.out_of_orderness_ms - 1)
        if watermark_ms >= until_ms:
            break
        outputs += shard.advance(watermark_ms)
        shard.let_go()
        batch = Batch([partition], [number], [record.kafka_time_ms], [None], [record.value])
        frame = frame_of(batch, SETTINGS.max_future_skew_ms, order)
        late += sum(time_ms <= watermark_ms for time_ms in frame.readings.event_times_ms)
        outputs += shard.take(frame, [] if frame.rejected else [batch.original(0)])
        seen_ms = record.kafka_time_ms - SETTINGS.idle_timeout_ms if frame.rejected else frame.seen_times_ms[0]
        newest[partition] = max(newest.get(partition, seen_ms), seen_ms)
        came[partition] = arrival_ms
    outputs += shard.advance(until_ms)
    return in_order([output for output in outputs if isinstance(output, Revision)]), late


def delayed(chance: random.Random, records: list[Original]) -> list[Original]:
    """The same records, of which some arrive up to five minutes later."""
    found = []
    for record in records:
        delay_ms = chance.choice([0, 0, 0, 0, 0, 0, 500, 3_000, 40_000, 300_000])
        found.append(record._replace(kafka_time_ms=record.kafka_time_ms + delay_ms))
    return sorted(found, key=lambda record: record.kafka_time_ms)


@given(st.randoms(use_true_random=False), st.integers(0, 9), st.integers(1, 4), st.integers(1, 80))
@settings(max_examples=60)
def test_a_backtest_decides_as_a_job_that_takes_each_record_as_it_arrives(chance, seed, partitions, size):
    records = delayed(chance, history(seed))
    expected, late = one_by_one(records, partitions, END_MS)
    judged = run_history(streams(records, partitions, size), SETTINGS, [VERSIONS], END_MS)
    assert judged.read.late == late
    assert judged.revisions == [expected]
