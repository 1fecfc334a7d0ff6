"""The versions of a rule set, and which of them is in force at an instant of event time."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from fleetpulse.rules import model as rule_types
from fleetpulse.rules.checks import check_published
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.parts import RuleError
from fleetpulse.times import LAST_MS

NOTICE_MS = 2_000  # how far ahead of all clocks a change must be announced, so that every shard has it in time
USUAL_NOTICE_MS = 10_000  # how far ahead it is announced where nobody asks for an instant


class Version(Struct, frozen=True):
    """A whole set, in force from `effective_from_ms` (event time, epoch ms) on. Versions count up.

    `expects_from_ms` is set if the set applies to history too: nobody could be expected to report that long ago.
    """

    version: int
    effective_from_ms: int
    rules: RuleSet
    expects_from_ms: int | None = None

    @property
    def since_ms(self) -> int:
        """From when on devices must report."""
        return self.effective_from_ms if self.expects_from_ms is None else self.expects_from_ms


Versions = tuple[Version, ...]


def encode(version: Version) -> bytes:
    """The record on the rules topic."""
    head = {"version": version.version, "effective_from_ms": version.effective_from_ms}
    if version.expects_from_ms is not None:
        head["expects_from_ms"] = version.expects_from_ms
    return msgspec.json.encode(head | rule_types.to_document(version.rules))


def decode(record: bytes) -> Version:
    """Read a record of the rules topic.

    Raises:
        RuleError: it holds no set of rules.
    """
    try:
        document = msgspec.json.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError) as bad:
        raise RuleError("rules", str(bad)) from None
    except RecursionError:
        raise RuleError("rules", "nested too deeply") from None
    if not isinstance(document, dict):
        raise RuleError("rules", "expected an object")
    version, effective_from_ms = (document.pop(name, None) for name in ("version", "effective_from_ms"))
    expects_from_ms = document.pop("expects_from_ms", None)
    numbers = [version, effective_from_ms, *([] if expects_from_ms is None else [expects_from_ms])]
    for number in numbers:
        if type(number) is not int or not 0 <= number <= LAST_MS:
            raise RuleError("rules", "expected `version` and `effective_from_ms` as whole numbers")
    return Version(version, effective_from_ms, check_published(rule_types.read(document)), expects_from_ms)


def merged(known: Versions, more: Iterable[Version]) -> Versions:
    """All versions in the order in which they take effect. What is known by its number stays as it is."""
    by_number = {version.version: version for version in more} | {version.version: version for version in known}
    return tuple(sorted(by_number.values(), key=lambda version: (version.effective_from_ms, version.version)))


def in_force(versions: Versions, at_ms: int) -> Version | None:
    """The version in force at an instant."""
    candidates = [version for version in versions if version.effective_from_ms <= at_ms]
    return candidates[-1] if candidates else None


def next_change_ms(versions: Versions, after_ms: int) -> int | None:
    """The first instant after `after_ms` at which another version takes effect."""
    return min((v.effective_from_ms for v in versions if v.effective_from_ms > after_ms), default=None)


def following(versions: Versions, number: int) -> Version | None:
    """The version that takes effect after the one with this number; the first one where that is not among them."""
    index = next((index for index, version in enumerate(versions) if version.version == number), -1)
    return versions[index + 1] if index + 1 < len(versions) else None


def expecting(versions: Versions, from_ms: int | None) -> Versions:
    """Versions of which those without an instant expect devices to report from `from_ms` on; None: no device.

    Rules that were never published, such as a file's, have no instant of their own from which on that could be asked.
    """
    expects_from_ms = LAST_MS if from_ms is None else from_ms
    return tuple(
        version
        if version.effective_from_ms or version.expects_from_ms is not None
        else msgspec.structs.replace(version, expects_from_ms=expects_from_ms)
        for version in versions
    )
