import json
from dataclasses import replace

import pytest

from fleetpulse.readings import Reading as Accepted
from fleetpulse.readings import Rejection, judge
from generator.malformed import KINDS, TOO_LARGE, choose, value_of
from generator.plan import Fault, Reading
from generator.records import DAY_MS, encoder
from generator.scenario import Dialect
from generator.stream import records
from generator.truth import Truth
from tests.unit.generator.fleets import FAULTY, START_MS

SKEW_MS = 60_000
SENT_MS = START_MS + 1_500
JSON = [dialect for dialect in Dialect if dialect is not Dialect.AVRO]


def record(fault=Fault.NONE, dialect=Dialect.EVENT, noise=7):
    return encoder(dialect)(SENT_MS, Reading(3, "device-00003", 5, START_MS + 250, fault, noise))


def test_an_event_is_what_the_contract_says():
    assert json.loads(record().value) == {
        "event-id": "device-00003-5",
        "device-id": "device-00003",
        "time": START_MS + 250,
    }
    assert record().key == b"device-00003"


def test_telemetry_is_what_the_contract_says():
    value = json.loads(record(dialect=Dialect.TELEMETRY).value)

    assert value["device_id"] == "device-00003"
    assert value["ts"] == "2026-01-01T00:00:00.250Z"
    assert 10 < value["temperature_c"] < 32
    assert 30 < value["humidity"] < 60


def weather(hour=0, noise=7):
    reading = Reading(3, "device-00003", 5, START_MS + hour * 3_600_000, Fault.NONE, noise)
    value = json.loads(encoder(Dialect.TELEMETRY)(SENT_MS, reading).value)
    return value["temperature_c"], value["humidity"]


def test_a_day_is_a_wave_coolest_and_most_humid_at_three():
    temperatures, humidities = zip(*(weather(hour) for hour in range(24)), strict=True)

    assert (temperatures.index(min(temperatures)), temperatures.index(max(temperatures))) == (3, 15)
    assert (humidities.index(max(humidities)), humidities.index(min(humidities))) == (3, 15)
    assert max(temperatures) - min(temperatures) == pytest.approx(10, abs=0.05)


def test_readings_of_the_same_moment_differ_by_noise():
    temperatures, humidities = zip(*(weather(noise=noise) for noise in range(0, 0x10000, 0x100)), strict=True)

    assert len(set(temperatures)) > 50
    assert max(temperatures) - min(temperatures) <= 1.01
    assert max(humidities) - min(humidities) <= 3.01


def test_a_delayed_record_keeps_the_reading_s_time_as_its_kafka_timestamp():
    assert record(Fault.LATE).timestamp_ms == START_MS + 250
    assert record(Fault.LATE).send_ms == SENT_MS


def test_a_clock_that_is_ahead_is_told_by_a_true_kafka_timestamp():
    ahead = record(Fault.CLOCK_AHEAD)

    assert ahead.timestamp_ms == START_MS + 250
    assert json.loads(ahead.value)["time"] == START_MS + 250 + DAY_MS
    assert judge(ahead.value, ahead.timestamp_ms, SKEW_MS).reason == "future_timestamp"


def test_a_clock_that_is_behind_stamps_the_record_too():
    behind = record(Fault.CLOCK_BEHIND)

    assert behind.timestamp_ms == json.loads(behind.value)["time"] == START_MS + 250 - DAY_MS


@pytest.mark.parametrize("dialect", JSON)
def test_every_malformed_kind_is_rejected_for_the_reason_it_claims(dialect):
    claimed = [kind.reason for kind in (*KINDS[dialect], TOO_LARGE)]
    judged = [
        judge(value_of(kind, dialect, "d1", START_MS), START_MS, SKEW_MS) for kind in (*KINDS[dialect], TOO_LARGE)
    ]

    assert [outcome.reason for outcome in judged] == claimed


def test_every_malformed_kind_is_chosen_at_some_time():
    chosen = {choose(Dialect.TELEMETRY, bits) for bits in range(64 * 200)}

    assert chosen == {*KINDS[Dialect.TELEMETRY], TOO_LARGE}


@pytest.mark.parametrize("dialect", JSON)
def test_whatever_is_not_meant_to_be_rejected_is_accepted(dialect):
    scenario = replace(FAULTY, dialect=dialect, malformed_rate=0.0, clock_ahead_devices=0, duration_ms=20_000)
    outcomes = [judge(r.value, r.timestamp_ms, SKEW_MS) for r in records(scenario)]

    assert {type(outcome) for outcome in outcomes} == {Accepted}


def test_the_domain_rejects_as_many_as_the_truth_expects():
    scenario = replace(FAULTY, dialect=Dialect.TELEMETRY, duration_ms=60_000)
    truth = Truth(scenario, lambda _: None)
    outcomes = [judge(r.value, r.timestamp_ms, SKEW_MS) for r in records(scenario, truth)]
    reasons = [str(o.reason) for o in outcomes if isinstance(o, Rejection)]

    assert len(outcomes) == truth.sent
    assert {reason: reasons.count(reason) for reason in set(reasons)} == dict(truth.rejected)
