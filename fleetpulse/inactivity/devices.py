"""What is kept of the devices of a shard, and what is said of those that are silent."""

from typing import NamedTuple

from fleetpulse.alerts import Revision
from fleetpulse.inactivity.timeouts import OpenSilence

NEVER_MS = -1


class Devices(NamedTuple):
    """Devices: ids, when each was last seen (0 once it is forgotten), and the open alerts by id.

    A device that has never been seen is kept only while it has an alert, and its `last_seen_ms` is NEVER_MS.
    """

    ids: list[str]
    last_seen_ms: list[int]
    alerts: dict[str, OpenSilence]


NOBODY = Devices([], [], {})


class SilentDevice(NamedTuple):
    """A device that is silent at an evaluation instant."""

    device_id: str
    latest_event_time_ms: int


InactivityOutput = Revision | SilentDevice


def everybody(_device_id: str) -> bool:
    """Whether a device belongs to the shard, where there is only one."""
    return True
