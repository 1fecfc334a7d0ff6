"""What leaves the job keeps the contract."""

import json
import uuid

from fleetpulse.frames.frame import Original, Rejected
from fleetpulse.inactivity.devices import SilentDevice
from fleetpulse.inactivity.timeouts import InactivityPolicy
from fleetpulse.inactivity.watch import InactivityWatch
from fleetpulse.records.reasons import SENTENCES, Reason
from fleetpulse.shard.outputs import OutputTopics, Record
from fleetpulse.shard.shard import Late

T0 = 1_767_225_600_000
OUTBOX = OutputTopics(("events", "telemetry.raw"), "telemetry.late", "telemetry.dlq", "alerts", "alerts.plain")
ORIGIN = (1 << 16) + 2  # telemetry.raw, partition 2
ORIGINAL = Original(ORIGIN, 77, T0, b"k", b"\xffbytes")


def opened():
    return InactivityWatch(InactivityPolicy()).advance([(T0, "d1")], T0 + 100_000)[0]


def test_an_alert_has_the_fields_of_the_contract():
    record = OUTBOX.record(opened(), T0 + 92_412)
    alert = json.loads(record.value)
    summary = alert.pop("summary")
    assert (record.topic, record.key, record.headers, record.timestamp_ms) == ("alerts", b"d1", {}, T0 + 92_412)
    assert alert == {
        "alert_id": str(
            uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_DNS, "fleetpulse.alerts"), f"inactivity\nd1\n{T0 + 90_000}")
        ),
        "revision": 1,
        "state": "open",
        "rule_id": "inactivity",
        "kind": "inactivity",
        "severity": "critical",
        "device_id": "d1",
        "site": None,
        "metric": None,
        "value": 90.0,
        "unit": "s",
        "limit": 60.0,
        "opened_at": "2026-01-01T00:01:30.000Z",
        "changed_at": "2026-01-01T00:01:30.000Z",
        "detected_at": "2026-01-01T00:01:32.412Z",
        "evidence": {"latest_event_time_ms": T0, "silent_ms": 90_000},
        "device-id": "d1",
        "latest-event-time": T0,
    }
    assert summary == "d1 has been silent for 90 s: it was last seen at 2026-01-01T00:00:00.000Z."


def test_a_plain_alert_has_exactly_two_fields():
    record = OUTBOX.record(SilentDevice("d1", T0), T0)
    assert (record.topic, json.loads(record.value)) == ("alerts.plain", {"device-id": "d1", "latest-event-time": T0})


def test_a_late_record_is_forwarded_untouched_with_its_origin():
    assert OUTBOX.record(Late(ORIGINAL, 1_500), T0 + 9) == Record(
        "telemetry.late",
        b"k",
        b"\xffbytes",
        {"fleetpulse.late_by_ms": b"1500", "fleetpulse.origin": b"telemetry.raw:2:77"},
        T0,
    )


def test_a_dead_letter_says_where_it_was_read_and_why_it_was_rejected():
    record = OUTBOX.record(Rejected(Reason.MALFORMED, ORIGINAL, None, None), T0 + 9)
    assert record._replace(headers={}) == Record("telemetry.dlq", b"k", b"\xffbytes", {}, T0)
    assert record.headers == {
        "__connect.errors.topic": b"telemetry.raw",
        "__connect.errors.partition": b"2",
        "__connect.errors.offset": b"77",
        "__connect.errors.stage": b"VALUE_CONVERTER",
        "__connect.errors.exception.class.name": b"malformed",
        "__connect.errors.exception.message": SENTENCES[Reason.MALFORMED].encode(),
        "fleetpulse.reason": b"malformed",
        "fleetpulse.failed_at": b"2026-01-01T00:00:00.009Z",
    }


def test_a_tombstone_stays_one():
    tombstone = ORIGINAL._replace(key=None, value=None)
    record = OUTBOX.record(Rejected(Reason.EMPTY, tombstone, None, None), T0)
    assert (record.key, record.value) == (None, None)


def test_every_reason_has_a_sentence():
    assert set(SENTENCES) == set(Reason)
