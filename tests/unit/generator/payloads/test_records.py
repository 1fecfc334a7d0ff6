import json
from dataclasses import replace

import pytest

from fleetpulse.durations import DAY_MS
from fleetpulse.records.reading import Reading as Accepted
from fleetpulse.records.reading import Rejection, decode_record
from generator.fleet.plan import Fault, Reading
from generator.payloads.malformed import KINDS, TOO_LARGE, choose, value_of
from generator.payloads.records import encoder
from generator.payloads.stream import records
from generator.scenario import Dialect
from generator.truth.alerts import Truth
from tests.unit.generator.fleets import FAULTY, QUIET, START_MS

SKEW_MS = 60_000
SENT_MS = START_MS + 1_500
JSON = [dialect for dialect in Dialect if dialect is not Dialect.AVRO]


def record(fault=Fault.NONE, dialect=Dialect.EVENT, noise=7, device=3):
    reading = Reading(device, f"device-{device:05d}", 5, START_MS + 250, fault, noise)
    return encoder(replace(QUIET, dialect=dialect))(SENT_MS, reading)


def test_a_delayed_record_keeps_the_reading_s_time_as_its_kafka_timestamp():
    assert record(Fault.LATE).timestamp_ms == START_MS + 250
    assert record(Fault.LATE).send_ms == SENT_MS


def test_a_clock_that_is_ahead_is_told_by_a_true_kafka_timestamp():
    ahead = record(Fault.CLOCK_AHEAD)

    assert ahead.timestamp_ms == START_MS + 250
    assert json.loads(ahead.value)["time"] == START_MS + 250 + DAY_MS
    assert decode_record(ahead.value, ahead.timestamp_ms, SKEW_MS).reason == "future_timestamp"


def test_a_clock_that_is_behind_stamps_the_record_too():
    behind = record(Fault.CLOCK_BEHIND)

    assert behind.timestamp_ms == json.loads(behind.value)["time"] == START_MS + 250 - DAY_MS


@pytest.mark.parametrize("dialect", [dialect for dialect in JSON if dialect in KINDS])
def test_every_malformed_kind_is_rejected_for_the_reason_it_claims(dialect):
    claimed = [kind.reason for kind in (*KINDS[dialect], TOO_LARGE)]
    judged = [
        decode_record(value_of(kind, dialect, "d1", START_MS), START_MS, SKEW_MS)
        for kind in (*KINDS[dialect], TOO_LARGE)
    ]

    assert [outcome.reason for outcome in judged] == claimed


@pytest.mark.parametrize("dialect", KINDS)
def test_every_malformed_kind_is_chosen_at_some_time(dialect):
    assert {choose(dialect, bits) for bits in range(64 * 200)} == {*KINDS[dialect], TOO_LARGE}


def test_a_malformed_value_of_a_mixed_fleet_is_one_of_its_device_s_dialect():
    values = [record(Fault.MALFORMED, Dialect.MIXED, noise, device=2).value or b"" for noise in range(500)]

    assert any(b'"sensor_id"' in value for value in values)
    assert not any(b'"device_id"' in value or b'"device-id"' in value for value in values)


def test_the_devices_of_a_mixed_fleet_take_the_dialects_in_turns():
    names = [set(json.loads(record(dialect=Dialect.MIXED, device=device).value)) for device in range(8)]

    assert ["event-id" in n for n in names] == [True, False, False, False] * 2
    assert ["temperature_c" in n for n in names] == [False, True, False, False] * 2
    assert ["sensor_id" in n for n in names] == [False, False, True, False] * 2
    assert ["event_type" in n for n in names] == [False, False, False, True] * 2


@pytest.mark.parametrize("dialect", JSON)
def test_whatever_is_not_meant_to_be_rejected_is_accepted(dialect):
    scenario = replace(FAULTY, dialect=dialect, malformed_rate=0.0, clock_ahead_devices=0, duration_ms=20_000)
    outcomes = [decode_record(r.value, r.timestamp_ms, SKEW_MS) for r in records(scenario)]

    assert {type(outcome) for outcome in outcomes} == {Accepted}


def test_the_domain_rejects_as_many_as_the_truth_expects():
    scenario = replace(FAULTY, dialect=Dialect.MIXED, duration_ms=60_000)
    truth = Truth(scenario, lambda _: None)
    outcomes = [decode_record(r.value, r.timestamp_ms, SKEW_MS) for r in records(scenario, truth)]
    reasons = [str(o.reason) for o in outcomes if isinstance(o, Rejection)]

    assert len(outcomes) == truth.sent
    assert {reason: reasons.count(reason) for reason in set(reasons)} == dict(truth.rejected)
