"""The truth file: JSON lines, first a header, then one expected alert revision a line. Fields: docs/simulator.md."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from fleetpulse.errors import ConfigurationError
from fleetpulse.times import iso
from generator.scenario import Scenario
from generator.truth.alerts import Revision, Truth

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Revision).decode


class Spool:
    """Keeps revisions on disk until the header, which comes before them, is known at the end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def tell(self, revision: Revision) -> None:
        """Append a revision."""
        self._file.write(_encode(revision) + b"\n")

    def revisions(self) -> Iterator[Revision]:
        """Yield all revisions, in the order they were appended."""
        self._file.seek(0)
        yield from map(_decode, self._file)


@contextlib.contextmanager
def spool(path: Path) -> Iterator[Spool]:
    """Open a spool beside `path`, and remove it at the end.

    Raises:
        ConfigurationError: nothing can be written there.
    """
    beside = path.with_name(path.name + ".part")
    try:
        file = beside.open("w+b")
    except OSError as refused:
        raise ConfigurationError(f"--truth: cannot write {beside}: {refused.strerror}") from refused
    with file:
        try:
            yield Spool(file)
        finally:
            beside.unlink()


def write(path: Path, lines: Iterable[dict[str, object]]) -> None:
    """Write the truth file, whole or not at all."""
    unfinished = path.with_name(path.name + ".new")
    with unfinished.open("wb") as file:
        file.writelines(_encode(line) + b"\n" for line in lines)
    unfinished.replace(path)


def lines(
    scenario: Scenario, truth: Truth, revisions: Iterable[Revision], complete_until_ms: int, sent: int
) -> Iterator[dict[str, object]]:
    """Yield the header and the revisions up to `complete_until_ms` (epoch ms).

    Args:
        scenario: what was simulated.
        truth: what was observed, closed at `complete_until_ms`.
        revisions: what it reported.
        complete_until_ms: later revisions are left out, since records that were not sent could change them.
        sent: how many records Kafka acknowledged.
    """
    rejected = dict(sorted(truth.rejected.items()))
    yield {
        "seed": scenario.seed,
        "complete_until_ms": complete_until_ms,
        "order_dependent_devices": sorted(truth.order_dependent),
        "records": {"sent": sent, "rejected": sum(rejected.values()), "rejected_by_reason": rejected},
    }
    for revision in revisions:
        if revision.changed_at_ms <= complete_until_ms:
            yield _line(revision, revision.device_id in truth.order_dependent)


def _line(revision: Revision, order_dependent: bool) -> dict[str, object]:
    line: dict[str, object] = {
        "alert_id": str(revision.alert_id),
        "revision": revision.revision,
        "state": revision.state,
        "device_id": revision.device_id,
        "opened_at": iso(revision.opened_at_ms),
        "changed_at": iso(revision.changed_at_ms),
    }
    return line | {"order_dependent": True} if order_dependent else line
