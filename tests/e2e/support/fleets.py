"""Simulated fleets, in a process of their own as a user starts them, and what their truth files say."""

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.support.jobs import Inactivity, Revision, moment, revision_of


def simulate(job: Inactivity, *arguments: str) -> subprocess.Popen[bytes]:
    """Start to simulate a fleet into the topic that `job` reads."""
    where = ("--kafka.bootstrap.servers", job.stack.bootstrap, "--topic", job.events)
    return subprocess.Popen([Path(sys.executable).with_name("fleetpulse"), "generate", *where, *arguments])


@dataclass(frozen=True)
class Told:
    """What a truth file tells: see docs/simulator.md.

    Attributes:
        until_ms: up to which instant it is complete (epoch ms).
        unclear: devices whose outcome depends on the order of arrival.
        expected: the revisions that must result of all others, up to that instant.
        sent: records that Kafka has.
        rejected: how many of them must be rejected, by reason.
    """

    until_ms: int
    unclear: frozenset[str]
    expected: frozenset[Revision]
    sent: int
    rejected: dict[str, int]

    def comparable(self, alerts: Iterable[Revision]) -> set[Revision]:
        """Those of `alerts` that are certain to be expected or wrong."""
        until = moment(self.until_ms)
        return {alert for alert in alerts if alert.changed_at <= until and alert.device_id not in self.unclear}


def told_by(truth: Path) -> Told:
    """Read a truth file."""
    header, *lines = map(json.loads, truth.read_text().splitlines())
    unclear = frozenset(header["order_dependent_devices"])
    expected = frozenset(revision_of(line) for line in lines if line["device_id"] not in unclear)
    records = header["records"]
    return Told(header["complete_until_ms"], unclear, expected, records["sent"], records["rejected_by_reason"])
