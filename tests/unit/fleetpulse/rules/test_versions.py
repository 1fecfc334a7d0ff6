"""Versions are records, and judge from their instant on until the next one does."""

import msgspec
import pytest

from fleetpulse.rules.kinds.battery import Battery
from fleetpulse.rules.levels import Levels
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.parts import RuleError
from fleetpulse.rules.versions import Version, decode, encode, in_force, merged, next_change_ms

LOW = RuleSet((Battery(id="low", below=Levels(warning=20.0)),))
NONE = RuleSet(())
FIRST, SECOND, BETWEEN = Version(1, 1_000, LOW), Version(2, 3_000, NONE), Version(3, 2_000, NONE)


def test_a_version_comes_back_from_its_record() -> None:
    assert decode(encode(FIRST)) == FIRST


@pytest.mark.parametrize(
    ("record", "path"),
    [
        (b"", "rules"),
        (b"rubbish", "rules"),
        (b"[]", "rules"),
        (b"[" * 100_000, "rules"),
        (b'{"rules": []}', "rules"),
        (b'{"version": true, "effective_from_ms": 1, "rules": []}', "rules"),
        (b'{"version": 1, "effective_from_ms": -1, "rules": []}', "rules"),
        (b'{"version": 1, "effective_from_ms": 253402300800000, "rules": []}', "rules"),
        (b'{"version": 1, "effective_from_ms": 1}', "rules"),
        (b'{"version": 1, "effective_from_ms": 1, "rules": [], "by": "me"}', "by"),
        (encode(Version(1, 1, RuleSet((Battery(id="1", below=Levels(warning=20.0)),)))), "rules[0].id"),
    ],
)
def test_what_is_no_version_is_refused(record: bytes, path: str) -> None:
    with pytest.raises(RuleError) as refused:
        decode(record)
    assert refused.value.path == path


def test_versions_stand_in_the_order_of_their_instants() -> None:
    versions = merged((SECOND,), [BETWEEN, FIRST])
    assert versions == (FIRST, BETWEEN, SECOND)
    assert [in_force(versions, at) for at in (999, 1_000, 1_999, 2_000, 3_000)] == [None, FIRST, FIRST, BETWEEN, SECOND]
    assert [next_change_ms(versions, after) for after in (0, 1_000, 2_999, 3_000)] == [1_000, 2_000, 3_000, None]


def test_a_version_that_is_known_stays_as_it_is() -> None:
    assert merged((FIRST,), [msgspec.structs.replace(FIRST, effective_from_ms=5)]) == (FIRST,)
