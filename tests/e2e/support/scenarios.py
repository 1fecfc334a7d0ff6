"""Fleets of a fixed time, as the records of bounded jobs, and what must result."""

from generator.payloads.records import Record
from generator.payloads.stream import decided_until, records
from generator.scenario import Scenario
from generator.truth.alerts import Revision as Expected
from generator.truth.alerts import Truth
from tests.e2e.support.jobs import Inactivity, Revision, moment

START_MS = 1_767_225_600_000
BOUND_MS = 2_000
SETTINGS = ("--timeout.ms", "20000", "--evaluation.period.ms", "10000")


def fleet(devices: int, interval_ms: float, duration_ms: int, **faults: float) -> Scenario:
    """A fleet where many fall silent, watched with SETTINGS."""
    watched = {"failure_probability": 0.5, "timeout_ms": 20_000, "period_ms": 10_000, "bound_ms": BOUND_MS}
    return Scenario(7, devices, interval_ms, START_MS, duration_ms, **watched, **faults)


def simulated(scenario: Scenario) -> tuple[list[Record], set[Revision]]:
    """The records of a fleet, and the alerts that must result by the time its records decide."""
    told: list[Expected] = []
    truth = Truth(scenario, told.append)
    sent = list(records(scenario, truth))
    until_ms = decided_until(scenario, scenario.end_ms)
    truth.close(until_ms)
    certain = (e for e in told if e.changed_at_ms <= until_ms and e.device_id not in truth.order_dependent)
    return sent, {revision(e) for e in certain}


def revision(expected: Expected) -> Revision:
    """What the truth tells, as the job does."""
    return Revision(
        str(expected.alert_id),
        expected.revision,
        expected.state,
        moment(expected.opened_at_ms),
        moment(expected.changed_at_ms),
        expected.device_id,
    )


def decided(job: Inactivity, scenario: Scenario) -> list[Revision]:
    """The alerts by the time that the records of `scenario` decide."""
    until = moment(decided_until(scenario, scenario.end_ms))
    return sorted(alert for alert in job.alerts() if alert.changed_at <= until)


def spoken(device: str, at_s: int) -> Record:
    """A record of a device, so many seconds after the start."""
    at_ms = START_MS + 1000 * at_s
    return Record(at_ms, device.encode(), f'{{"device-id":"{device}","time":{at_ms}}}'.encode(), at_ms)
