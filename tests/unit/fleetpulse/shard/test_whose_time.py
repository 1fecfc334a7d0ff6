"""Whose time says that a device lives: docs/decisions/0020-who-says-a-device-lives.md.

The oracle reads as the decision does and is slow: it looks at all records at every instant.
"""

import random
from collections import defaultdict
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetpulse.alerts import AlertState, Revision
from fleetpulse.frames.frame import Original
from fleetpulse.inactivity.timeouts import InactivityPolicy
from fleetpulse.records.reasons import Reason
from fleetpulse.shard.clock import Broker
from fleetpulse.shard.shard import ShardPolicy
from tests.unit.fleetpulse.shard.keyed import BOUND_MS, Keyed

T0 = 1_767_225_600_000  # a multiple of the evaluation period
TIMEOUT, PERIOD, OFFSET = 60_000, 30_000, 300_000
WEEKS_1024 = 1024 * 7 * 86_400_000
HOUR = 3_600_000
SILENCE = InactivityPolicy(TIMEOUT, PERIOD, max_clock_offset_ms=OFFSET)
POLICY = ShardPolicy(("events",), shards=1, inactivity=SILENCE)


class Sent(NamedTuple):
    """A record: its device, what its clock says and its Kafka timestamp, after T0; `says` None: it says no time."""

    device: str
    says: int | None
    kafka: int
    partition: int = 0
    broken: bool = False

    def original(self) -> Original:
        time = "" if self.says is None else f',"ts":{(T0 + self.says) / 1000:.3f}'
        metric = ',"humidity":"wet"' if self.broken else ""
        value = f'{{"device_id":"{self.device}"{time}{metric}}}'.encode()
        return Original(self.partition, 0, T0 + self.kafka, None, value)


def good(*seconds: float, device: str = "good") -> list[Sent]:
    return [Sent(device, round(s * 1000), round(s * 1000)) for s in seconds]


def revisions(keyed: Keyed, device: str, kind: str = "inactivity") -> list[tuple]:
    """State, opened and changed after T0 in seconds."""
    return [
        (str(r.state), (r.opened_at_ms - T0) / 1000, (r.changed_at_ms - T0) / 1000)
        for r in keyed.outputs
        if isinstance(r, Revision) and (r.device_id, r.kind) == (device, kind)
    ]


def live(records: list[Sent], until_s: float, policy: ShardPolicy = POLICY, restart_every: int = 0) -> Keyed:
    """Each record comes for itself, and the watermark follows what is on time."""
    keyed, newest_ms = Keyed(policy), 0
    for number, record in enumerate(sorted(records, key=lambda r: r.kafka)):
        keyed.accept([record.original()])
        newest_ms = max(newest_ms, min(record.kafka, record.kafka if record.says is None else record.says))
        keyed.advance(T0 + newest_ms - BOUND_MS - 1)
        if restart_every and number % restart_every == 0:
            keyed.restart()
    keyed.advance(T0 + round(until_s * 1000))
    return keyed


def at_once(records: list[Sent], until_s: float, policy: ShardPolicy = POLICY) -> Keyed:
    """All records come in one batch, as a backlog does."""
    keyed = Keyed(policy)
    keyed.accept([record.original() for record in sorted(records, key=lambda r: r.kafka)])
    keyed.advance(T0 + round(until_s * 1000))
    return keyed


# --- the oracle


class Shown(NamedTuple):
    """What a record shows: when its device is seen, a time it claims besides, and how far its clock is off."""

    device: str
    seen: int
    claim: int | None
    offset: int


def shown(records: list[Sent]) -> list[Shown]:
    """Nothing is decided when they come, so what is belated is so by its partition alone."""
    newest: defaultdict[int, int] = defaultdict(lambda: -T0)
    found = []
    for record in records:
        says = record.kafka if record.says is None else record.says
        if says > record.kafka + 60_000:  # rejected for it, and still a heartbeat
            late = record.kafka < newest[record.partition] - BOUND_MS
            heard = min(record.kafka, newest[record.partition]) if late else record.kafka
            found.append(Shown(record.device, heard, None, says - heard))
            continue
        seen = min(says, record.kafka)
        if seen >= newest[record.partition] - BOUND_MS:
            found.append(Shown(record.device, seen, None, 0))
        else:
            heard = min(record.kafka, newest[record.partition])
            found.append(Shown(record.device, heard, says if says < heard else None, says - heard))
        if not record.broken:
            newest[record.partition] = max(newest[record.partition], seen)
    return found


def silences(found: list[Shown], until: int) -> list[tuple]:
    """(device, state, opened, changed) of all silences."""
    told = []
    for device in {one.device for one in found}:
        seen = sorted(one.seen for one in found if one.device == device)
        claims = [one.claim for one in found if one.device == device and one.claim is not None]
        opened = None
        for at in range(PERIOD, until + 1, PERIOD):
            if opened is not None:
                after = [time for time in seen if opened <= time < at]
                if not after:
                    continue
                told.append((device, "recovered", opened, after[0]))
                opened = None
            before = [time for time in seen if time < at]
            if not before:
                continue
            known = before[0]
            last = max([*before, *(claim for claim in claims if known <= claim < at)])
            if at - last > TIMEOUT:
                opened = at
                told.append((device, "open", at, at))
        if opened is not None and (after := [time for time in seen if opened <= time <= until]):
            told.append((device, "recovered", opened, after[0]))
    return sorted(told)


def clocks(found: list[Shown], until: int) -> list[tuple]:
    """(device, state, opened, changed, offset) of all wrong clocks."""
    told = []
    for device in {one.device for one in found}:
        before = opened = None
        for at in range(PERIOD, until + 1, PERIOD):
            offsets = [one.offset for one in found if one.device == device and at - PERIOD <= one.seen < at]
            if not offsets:
                continue
            offset = min(offsets, key=abs)
            if abs(offset) <= OFFSET:
                if opened is not None:
                    told.append((device, "recovered", opened[0], at, opened[1]))
                before = opened = None
                continue
            stays = before is not None and before * offset > 0 and abs(offset) >= abs(before) - 5_000
            if opened is None and stays:
                opened = at, offset
                told.append((device, "open", at, at, offset))
            before = offset
    return sorted(told)


CLOCKS = st.sampled_from([0, 0, 0, -57_000, -OFFSET, -OFFSET - 1, -HOUR, -WEEKS_1024, 50_000, HOUR])
RECORDS = st.lists(
    st.builds(
        lambda device, kafka, delay, offset, partition, broken: Sent(
            device, kafka - delay + offset, kafka, partition, broken
        ),
        st.sampled_from(["a", "b", "c", "d"]),
        st.integers(1, 400_000).map(lambda at: round(at, -3) + 1 if at % 3 else at),
        st.sampled_from([0, 0, 1, 2_000, 2_001, 20_000, 90_000]),
        CLOCKS,
        st.integers(0, 1),
        st.booleans(),
    ),
    min_size=1,
    max_size=60,
).map(lambda records: sorted(records, key=lambda record: record.kafka))


@settings(max_examples=400)
@given(RECORDS, st.integers(0, 2**32).map(random.Random))
def test_silences_and_wrong_clocks_are_what_the_decision_says(records, rng):
    """In any batches, whenever the shard is restored, however the watermark then moves."""
    records = [Sent("n", 0, 0, partition) for partition in (0, 1)] + records  # or the first ones have no neighbours
    keyed, left = Keyed(POLICY), list(records)
    while left:
        size = rng.randrange(1, 20)
        keyed.accept([record.original() for record in left[:size]])
        left = left[size:]
        if rng.random() < 0.3:
            keyed.shards.clear()
    at = -1_000
    while at < 600_000:
        at = min(600_000, at + rng.choice([1, 999, 30_000, 200_000]))
        if T0 + at > 0:
            keyed.advance(T0 + at)
        if rng.random() < 0.3:
            keyed.shards.clear()
    found = shown(records)
    made = [r for r in keyed.outputs if isinstance(r, Revision)]
    assert sorted(
        (r.device_id, str(r.state), r.opened_at_ms - T0, r.changed_at_ms - T0) for r in made if r.kind == "inactivity"
    ) == silences(found, 600_000)
    assert sorted(
        (r.device_id, str(r.state), r.opened_at_ms - T0, r.changed_at_ms - T0, r.evidence["offset_ms"])
        for r in made
        if r.kind == "clock"
    ) == clocks(found, 600_000)


@settings(max_examples=150)
@given(RECORDS, st.integers(0, 2**32).map(random.Random))
def test_other_devices_with_wrong_clocks_change_nothing_for_those_in_order(records, rng):
    """Live, record by record, with restarts: a device all of whose records are in order has the alerts it has alone."""
    others = [record._replace(device="x" + record.device) for record in records]
    right = [Sent("a", at, at) for at in range(0, 400_000, rng.choice([9_000, 50_000, 100_000]))]
    alone, beside = (live(r, 600, restart_every=7) for r in (right, right + others))
    assert revisions(beside, "a") == revisions(alone, "a")
    assert revisions(beside, "a", "clock") == []


# --- what fleets do


@pytest.mark.parametrize("run", [live, at_once])
@pytest.mark.parametrize("behind_ms", [57_000, 59_999, 3 * HOUR, WEEKS_1024], ids=["57s", "60s", "3h", "1024w"])
def test_a_device_whose_clock_is_behind_is_not_silent_while_it_speaks(run, behind_ms):
    """And it is silent once it does not, by when it was heard."""
    wrong = [Sent("wrong", at - behind_ms, at) for at in range(0, 300_000, 10_000)]
    keyed = run(good(*range(0, 600, 5)) + wrong, 595)
    assert revisions(keyed, "wrong") == [("open", 360.0, 360.0)]
    accused = [("open", 60.0, 60.0)] if behind_ms > OFFSET else []
    assert revisions(keyed, "wrong", "clock") == accused
    assert revisions(keyed, "good") == revisions(keyed, "good", "clock") == []


@pytest.mark.parametrize("run", [live, at_once])
def test_a_device_whose_time_counts_from_1_after_a_reboot_is_alive_and_its_clock_is_right_again_later(run):
    wrong = [Sent("rebooted", 1 - T0 + at, at) for at in range(0, 300_000, 10_000)]
    right = [Sent("rebooted", at, at) for at in range(300_000, 600_000, 10_000)]
    keyed = run(good(*range(0, 600, 5)) + wrong + right, 590)
    assert revisions(keyed, "rebooted") == []
    assert revisions(keyed, "rebooted", "clock") == [("open", 60.0, 60.0), ("recovered", 60.0, 330.0)]


def test_a_clock_that_goes_wrong_while_there_is_an_alert_still_ends_it():
    wrong = [Sent("d", 0, 0), Sent("d", 200_000 - WEEKS_1024, 200_000)]
    assert revisions(live(good(*range(0, 250, 5)) + wrong, 250), "d") == [
        ("open", 90.0, 90.0),
        ("recovered", 90.0, 200.0),
    ]


def test_a_history_that_is_loaded_today_has_the_alerts_it_had():
    """Its Kafka timestamps are all of today, and a hole in it is a silence."""
    times = [*range(0, 100, 5), *range(300, 400, 5)]
    today = 86_400_000
    loaded = [Sent("d", s * 1000, today + s) for s in times] + [
        Sent("e", s * 1000, today + s) for s in range(0, 400, 5)
    ]
    for run in (live, at_once):
        assert revisions(run(loaded, 390), "d") == [("open", 180.0, 180.0), ("recovered", 180.0, 300.0)]
        assert {r.kind for r in run(loaded, 390).outputs if isinstance(r, Revision)} == {"inactivity"}


def test_a_stored_record_shows_that_its_device_was_not_silent():
    late = [Sent("d", 0, 0), Sent("d", 45_000, 118_000)]
    assert revisions(live(good(*range(0, 120, 2)) + late, 110), "d") == [
        ("open", 90.0, 90.0),
        ("cancelled", 90.0, 90.0),
    ]


def test_a_stored_record_that_comes_before_the_instant_is_decided_prevents_the_alert():
    late = [Sent("d", 0, 0), Sent("d", 45_000, 118_000)]
    assert revisions(at_once(good(*range(0, 120, 2)) + late, 110), "d") == []


def test_a_stored_record_from_before_the_timeout_shows_no_more_than_that_the_device_lives_now():
    late = [Sent("d", 0, 0), Sent("d", 20_000, 118_000)]
    keyed = live(good(*range(0, 140, 2)) + late, 135)
    assert revisions(keyed, "d") == [("open", 90.0, 90.0), ("recovered", 90.0, 118.0)]


def test_a_device_that_lags_in_kafka_too_keeps_its_one_alert():
    """A gateway keeps both times, and is an hour behind."""
    keyed = Keyed(POLICY)
    for second in range(0, 1_200, 5):
        keyed.accept([Sent("good", second * 1000, second * 1000).original()])
        keyed.accept([Sent("lags", second * 1000 - HOUR, second * 1000 - HOUR).original()])
        keyed.advance(T0 + second * 1000 - BOUND_MS - 1)
    assert [state for state, _, _ in revisions(keyed, "lags")] == ["open"]
    assert revisions(keyed, "lags", "clock") == []


def test_rubbish_with_a_wrong_clock_is_life_too():
    broken = [Sent("d", at - WEEKS_1024, at, broken=True) for at in range(0, 300_000, 10_000)]
    keyed = live(good(*range(0, 300, 5)) + broken, 295)
    assert revisions(keyed, "d") == []
    assert revisions(keyed, "d", "clock") == [("open", 60.0, 60.0)]


def test_a_clock_that_is_ahead_is_told_too():
    ahead = [Sent("d", at + HOUR, at) for at in range(0, 300_000, 10_000)]
    keyed = live(good(*range(0, 300, 5)) + ahead, 295)
    assert revisions(keyed, "d") == []
    [told] = [r for r in keyed.outputs if isinstance(r, Revision)]
    assert (told.kind, told.rule_id, told.severity, told.value, told.unit, told.limit) == (
        "clock", "clock", "warning", 3600.0, "s", 300.0,
    )  # fmt: skip
    assert told.summary == "The clock of d is 3600 s ahead."


@pytest.mark.parametrize("run", [live, at_once])
def test_a_gateway_that_sends_what_it_stored_has_no_wrong_clock(run):
    """For four minutes it sends the last two hours, ten times as fast as they passed, then it is up to date."""
    stored = [Sent("gw", 240_000 - (240_000 - at) * 30, at) for at in range(0, 240_000, 2_000)]
    keyed = run(good(*range(0, 600, 5)) + stored + good(*range(240, 600, 10), device="gw"), 590)
    assert revisions(keyed, "gw", "clock") == []


def test_batches_whose_newest_record_is_almost_on_time_accuse_nobody():
    batches = [
        Sent("gw", newest - back, newest + 4_000)
        for newest in range(600_000, 3_000_000, 600_000)
        for back in range(600_000, -1, -20_000)
    ]
    keyed = live(good(*range(0, 3_000, 5)) + batches, 2_990)
    assert revisions(keyed, "gw", "clock") == []


def test_a_wrong_clock_is_told_once_however_long_it_is_wrong_and_through_restarts():
    wrong = [Sent("d", at - HOUR, at) for at in range(0, 1_200_000, 10_000)]
    for restart_every in (0, 1, 13):
        keyed = live(good(*range(0, 1_200, 5)) + wrong, 1_195, restart_every=restart_every)
        assert [state for state, _, _ in revisions(keyed, "d", "clock")] == ["open"]
        assert revisions(keyed, "d") == []


def test_a_clock_alert_expires_with_its_device():
    policy = replace(POLICY, inactivity=replace(SILENCE, forget_after_ms=120_000))
    wrong = [Sent("d", at - HOUR, at) for at in range(0, 100_000, 10_000)]
    keyed = live(good(*range(0, 600, 5)) + wrong, 595, policy)
    assert revisions(keyed, "d", "clock") == [("open", 60.0, 60.0), ("expired", 60.0, 270.0)]
    assert revisions(keyed, "d") == [("open", 180.0, 180.0), ("expired", 180.0, 270.0)]


# --- Kafka timestamps ahead of the broker's clock

AHEAD = Sent("fast", None, HOUR + 100_000)


def broker(now_s: float) -> Broker:
    return Broker(T0 + round(now_s * 1000), T0 + round(now_s * 1000) + 60_000)


@pytest.mark.parametrize("ahead_ms", [HOUR, 10 * 365 * 86_400_000], ids=["hour", "2036"])
def test_a_producer_whose_clock_is_ahead_buys_its_devices_no_silence(ahead_ms):
    keyed = Keyed(POLICY)
    for second in range(0, 400, 2):
        keyed.broker = broker(second)
        keyed.tick(T0 + second * 1000)
        keyed.accept([record.original() for record in good(second)])
        if second < 100:
            keyed.accept([Sent("fast", None, second * 1000 + ahead_ms).original()])
        keyed.advance(T0 + second * 1000 - BOUND_MS - 1)
        if second % 50 == 0:
            keyed.shards.clear()
    assert revisions(keyed, "fast") == [("open", 180.0, 180.0)]
    assert not [key for key, entry in keyed.state[0].items() if key and b"fast" in entry and entry[0] == 0x93]


def test_a_kafka_timestamp_within_the_tolerance_is_taken_as_it_is():
    keyed = Keyed(POLICY)
    keyed.broker = broker(100)
    keyed.accept([Sent("d", None, 160_000).original()])
    keyed.advance(T0 + 230_000)
    assert revisions(keyed, "d") == []
    keyed.advance(T0 + 240_000)
    assert revisions(keyed, "d") == [("open", 240.0, 240.0)]


def test_records_before_the_first_ticks_after_a_restart_are_not_taken_for_ones_from_the_future():
    """The last tick that is known is ten minutes old: the broker's time is unknown until ticks come steadily again."""
    keyed = Keyed(POLICY)
    keyed.tick(T0)
    keyed.accept([record.original() for record in good(0, device="d")])
    keyed.restart()
    keyed.accept([record.original() for record in good(600, device="d")])
    keyed.accept([Sent("fast", None, 600_000 + HOUR).original()])
    for second in range(600, 640):
        keyed.broker = broker(second) if second >= 606 else None
        keyed.tick(T0 + second * 1000)
    keyed.broker = broker(640)
    keyed.advance(T0 + 632_000)
    assert revisions(keyed, "d") == [("open", 90.0, 90.0), ("recovered", 90.0, 600.0)]
    for second in range(640, 800):
        keyed.tick(T0 + second * 1000)
        keyed.advance(T0 + second * 1000 - BOUND_MS - 1)
    assert revisions(keyed, "fast") == [("open", 690.0, 690.0)]


# --- forgetting


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(st.integers(0, 600), st.sampled_from("abc"), st.sampled_from([0, 57, HOUR // 1000])), max_size=12
    ),
    st.integers(60_001, 200_000),
    st.sampled_from([30_000, 90_000, 240_000]),
    st.integers(0, 2**32).map(random.Random),
)
def test_a_restart_changes_nothing_of_what_is_forgotten(spoken, forget_after_ms, period_ms, rng):
    silence = InactivityPolicy(TIMEOUT, period_ms, forget_after_ms, max_clock_offset_ms=OFFSET)
    policy = replace(POLICY, inactivity=silence)
    records = [Sent(device, (s - off) * 1000, s * 1000) for s, device, off in sorted(spoken)] + good(*range(0, 601, 4))
    records.sort(key=lambda record: record.kafka)
    runs = []
    for restarts in (False, True):
        keyed = Keyed(policy)
        for record in records:
            keyed.accept([record.original()])
            keyed.advance(T0 + record.kafka - BOUND_MS - 1)
            if restarts and rng.random() < 0.3:
                keyed.shards.clear()
        for second in range(600, 2_000, 7):
            keyed.advance(T0 + second * 1000)
            if restarts and rng.random() < 0.1:
                keyed.shards.clear()
        runs.append(keyed.alerts())
    assert runs[0] == runs[1]
    ends = {(alert_id, opened): changed for alert_id, _, state, opened, changed in runs[0] if state == "expired"}
    assert all(changed > opened for (_, opened), changed in ends.items())


def test_an_unusable_time_is_seen_at_the_kafka_timestamp():
    keyed = Keyed(POLICY)
    value = b'{"device_id":"d","ts":"yesterday"}'
    for at in range(0, 120_000, 10_000):
        keyed.accept([Original(0, 0, T0 + at, None, value)])
    keyed.advance(T0 + 200_000)
    assert revisions(keyed, "d") == [("open", 180.0, 180.0)]
    assert keyed.shard(0).counts["events:0"].rejected == {Reason.BAD_TIME: 12}


def test_a_wrong_clock_leaves_a_small_state_however_long_it_is_wrong():
    keyed = Keyed(POLICY)
    for second in range(0, 20_000, 5):
        keyed.accept([record.original() for record in [*good(second), Sent("d", second * 1000 - HOUR, second * 1000)]])
        keyed.advance(T0 + second * 1000 - BOUND_MS)
    assert sum(map(len, keyed.state[0].values())) < 100_000
    assert {r.state for r in keyed.outputs if isinstance(r, Revision)} == {AlertState.OPEN}
