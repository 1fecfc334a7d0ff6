"""Versions are records, and judge from their instant on until the next one does."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.rules.checks import check
from fleetpulse.rules.kinds import KINDS
from fleetpulse.rules.kinds.battery import Battery
from fleetpulse.rules.levels import Levels
from fleetpulse.rules.model import RuleSet, read
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
        (b'{"version": 1, "effective_from_ms": 1}', ""),
        (b'{"version": 1, "effective_from_ms": 1, "rules": [], "by": "me"}', "by"),
        (b'{"version": 1, "effective_from_ms": 1, "rules": [], "b\\u001b[2J": 1}', r"'b\x1b[2J'"),
        (encode(Version(1, 1, RuleSet((Battery(id="1", below=Levels(warning=20.0)),)))), "rules[0].id"),
    ],
)
def test_what_is_no_version_is_refused(record: bytes, path: str) -> None:
    with pytest.raises(RuleError) as refused:
        decode(record)
    assert refused.value.path == path


def condition(depth: int) -> bytes:
    """A version with a condition that many `not` deep."""
    when = b'{"not": ' * depth + b'{"metric": "m", "above": 1}' + b"}" * depth
    return b'{"version": 1, "effective_from_ms": 1, "rules": [{"kind": "condition", "id": "a", "when": %s}]}' % when


@pytest.mark.parametrize("depth", [40, 100, 300, 450, 600, 900, 5_000, 100_000])
def test_a_condition_too_deep_for_a_stack_is_refused(depth: int) -> None:
    assert decode(condition(39)).version == 1
    with pytest.raises(RuleError, match="deep"):
        decode(condition(depth))


FIELDS = """version effective_from_ms rules kind id metric above below warning critical when not all scope devices sites
for rule opens within area shape corners sigmas hysteresis timeout ` [0]"""
NAMES = st.sampled_from([*FIELDS.split(), "a\nb"])
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from([*KINDS, "5m", "circle", "m", 10**40]),
)


def _rules(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    fields = dict.fromkeys(("metric", "above", "when", "for", "scope"), inner)
    return st.fixed_dictionaries({"kind": st.sampled_from([*KINDS]), "id": st.just("a")}, optional=fields)


DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=8) | _rules(inner),
)


def decoded_or_refused(record: bytes) -> bool:
    """Whether a record is a version, or refused in a line that a terminal can show."""
    try:
        return bool(decode(record))
    except RuleError as refused:
        return str(refused).isprintable()


@given(st.one_of(st.binary(max_size=40), DOCUMENTS.map(lambda d: json.dumps(d).encode())))
def test_any_record_is_a_version_or_refused(record: bytes) -> None:
    assert decoded_or_refused(record)


@given(st.lists(DOCUMENTS, max_size=3))
def test_any_list_of_rules_is_a_version_or_refused(rules: list[object]) -> None:
    assert decoded_or_refused(json.dumps({"version": 1, "effective_from_ms": 1, "rules": rules}).encode())


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "threshold", "id": "a", "metric": "temperature", "above": {"warning": 5.0}},
        {"kind": "battery", "id": "clock", "below": {"warning": 5.0}},
        {"kind": "never_seen", "id": "a", "devices": ["gw-*"], "within": "5m"},
        {"kind": "battery", "id": "a", "below": {"warning": 5.0}, "scope": {"devices": ["a\n"]}},
    ],
    ids=lambda rule: rule["kind"],
)
def test_what_files_are_refused_for_stays_in_force_where_it_was_published(rule: dict[str, Any]) -> None:
    rules = read({"rules": [rule]})
    with pytest.raises(RuleError):
        check(rules)
    version = Version(1, 1, rules)
    assert decode(encode(version)) == version


def test_versions_stand_in_the_order_of_their_instants() -> None:
    versions = merged((SECOND,), [BETWEEN, FIRST])
    assert versions == (FIRST, BETWEEN, SECOND)
    assert [in_force(versions, at) for at in (999, 1_000, 1_999, 2_000, 3_000)] == [None, FIRST, FIRST, BETWEEN, SECOND]
    assert [next_change_ms(versions, after) for after in (0, 1_000, 2_999, 3_000)] == [1_000, 2_000, 3_000, None]


def test_a_version_that_is_known_stays_as_it_is() -> None:
    assert merged((FIRST,), [msgspec.structs.replace(FIRST, effective_from_ms=5)]) == (FIRST,)


@pytest.mark.parametrize("record", [b"\xff", b'{"\x9d":1}', b'{"version":"\xff"}', b"", b"[" * 100_000, b"null", b"7"])
def test_bytes_that_are_no_json_are_refused_in_one_line(record: bytes) -> None:
    with pytest.raises(RuleError) as refused:
        decode(record)
    assert "\n" not in str(refused.value)
