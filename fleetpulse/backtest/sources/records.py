"""Alerts as comparable records: as on the alerts topic, byte for byte, without `detected_at`."""

import re

from fleetpulse.alerts import Revision, to_json

# A name that stands in a text has its quotes escaped, so this is the field and nothing else.
_DETECTED_AT = re.compile(rb'"detected_at":"[^"]*",')


def record_of(revision: Revision) -> bytes:
    """The record on the alerts topic, without `detected_at`."""
    return without_detection(to_json(revision, 0))


def without_detection(record: bytes) -> bytes:
    """A record of the alerts topic without `detected_at`."""
    return _DETECTED_AT.sub(b"", record, count=1)
