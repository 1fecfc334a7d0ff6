"""Fixtures of rules: records in, alerts expected. Evaluated by the domain, with neither Flink nor Kafka."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from fleetpulse.alerts import AlertState, Revision
from fleetpulse.cli.durations import parse_instant_ms
from fleetpulse.errors import ConfigurationError
from fleetpulse.frames.frame import VERSION, Batch, Frame, Readings, frame_of
from fleetpulse.frames.order import PartitionOrder
from fleetpulse.numbers import exact
from fleetpulse.records.dialects import Location
from fleetpulse.records.metrics import UNITS
from fleetpulse.rulefiles.files import load_with_warnings
from fleetpulse.rulefiles.source import MAX_BYTES, Unreadable, parse
from fleetpulse.rules import model as rule_types
from fleetpulse.rules.checks import check, warnings
from fleetpulse.rules.model import RuleSet
from fleetpulse.rules.parts import RuleError, Severity
from fleetpulse.rules.versions import Version
from fleetpulse.shard.readings import ReadingPolicy
from fleetpulse.shard.shard import Shard, ShardPolicy
from fleetpulse.times import DEFAULT_FUTURE_SKEW_MS, LAST_MS, iso

_START = "2026-01-01T00:00:00Z"
_OWN = ("device", "at", "site", "value")  # fields of a record that are no metric

At = float | str


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alert's revision. A field left out may be anything."""

    device: str
    rule: str
    at: At
    state: AlertState = AlertState.OPEN
    severity: Severity | None = None
    value: float | None = None


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fixture as its file has it."""

    rules: str | list[object]
    records: list[dict[str, object]]
    expect: list[Expected]
    expect_nothing_else: bool = True
    start: str = _START
    until: At | None = None


class Fixture(NamedTuple):
    """A fixture that was read: frames of records, up to when they are evaluated, and the alerts they must raise.

    `warnings` are about the rules.
    """

    rules: RuleSet
    frames: list[Frame]
    until_ms: int
    start_ms: int
    expected: list[Expected]
    nothing_else: bool
    warnings: list[str]


def read_fixture(path: Path) -> Fixture:
    """Read a fixture.

    Raises:
        ConfigurationError: it is not a fixture; names the field.
    """
    document = _document(path)
    start_ms = _instant_ms(f"{path}: start", document.start, 0)
    rules, warned = _rules(path, document.rules)
    frames = [_frame(f"{path}: records[{n}]", record, start_ms) for n, record in enumerate(document.records)]
    for n, expected in enumerate(document.expect):
        _instant_ms(f"{path}: expect[{n}].at", expected.at, start_ms)
    last_ms = max((t for frame in frames for t in frame.readings.event_times_ms), default=start_ms)
    until_ms = last_ms if document.until is None else _instant_ms(f"{path}: until", document.until, start_ms)
    return Fixture(rules, frames, until_ms, start_ms, document.expect, document.expect_nothing_else, warned)


def differences(fixture: Fixture) -> Iterator[str]:
    """What comes of a fixture's records and should not, and the other way round, a line each."""
    left = _evaluate(fixture)
    for expected in fixture.expected:
        found = next((revision for revision in left if _is(revision, expected, fixture.start_ms)), None)
        if found is None:
            yield f"missing: {_expectation(expected, fixture.start_ms)}"
        else:
            left.remove(found)
    if fixture.nothing_else:
        yield from (f"unexpected: {_description(revision, fixture.start_ms)}" for revision in left)


def _evaluate(fixture: Fixture) -> list[Revision]:
    version = Version(1, fixture.start_ms, fixture.rules)
    shard = Shard(ShardPolicy((), 1, readings=ReadingPolicy(evaluate_rules=True), versions=(version,)), 0, None)
    outputs = [output for frame in fixture.frames for output in shard.take(frame)]
    outputs += shard.advance(fixture.until_ms)
    return [output for output in outputs if isinstance(output, Revision)]


def _is(revision: Revision, expected: Expected, start_ms: int) -> bool:
    return (
        (revision.device_id, revision.rule_id, revision.state) == (expected.device, expected.rule, expected.state)
        and revision.changed_at_ms == _instant_ms("at", expected.at, start_ms)
        and expected.severity in (None, revision.severity)
        and expected.value in (None, revision.value)
    )


def _expectation(expected: Expected, start_ms: int) -> str:
    at = _offset(_instant_ms("at", expected.at, start_ms), start_ms)
    value = "" if expected.value is None else f", value {exact(expected.value)}"
    return f"{expected.state} of {expected.rule} for {expected.device} at {at}{_as(expected.severity)}{value}"


def _description(revision: Revision, start_ms: int) -> str:
    at = _offset(revision.changed_at_ms, start_ms)
    value = "" if revision.value is None else f", value {exact(revision.value)}"
    return f"{revision.state} of {revision.rule_id} for {revision.device_id} at {at}{_as(revision.severity)}{value}"


def _as(severity: str | None) -> str:
    return f", {severity}" if severity else ""


def _offset(epoch_ms: int, start_ms: int) -> str:
    return f"{exact((epoch_ms - start_ms) / 1000)} s ({iso(epoch_ms)})"


def _document(path: Path) -> _Document:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        content = parse(raw, path.suffix.lower() == ".json", {}).content
    except OSError as failed:
        raise ConfigurationError(f"{path}: cannot be read: {failed.strerror}") from None
    except Unreadable as bad:
        flaw = bad.flaws[0]
        raise ConfigurationError(f"{path}{f':{flaw.line}' if flaw.line else ''}: {flaw.message}") from None
    try:
        return msgspec.convert(content, _Document)
    except msgspec.ValidationError as bad:
        message, _, field = str(bad).partition(" - at `$")
        reason = rule_types.in_words(field.rstrip("`").lstrip("."), message, content)
        raise ConfigurationError(f"{path}: no fixture of rules: {reason}") from None


def _rules(path: Path, given: str | list[object]) -> tuple[RuleSet, list[str]]:
    """A file's rules, by its name from the fixture's folder, without the environment's variables; or those given.

    With them come lines of what may not be meant.
    """
    if isinstance(given, str):
        rules, warned, _ = load_with_warnings(path.parent / given, {})
        return rules, warned
    try:
        rules = check(rule_types.read({"rules": given}))
        return rules, [f"{path}: {RuleError(where, message)}" for where, message in warnings(rules)]
    except RuleError as bad:
        raise ConfigurationError(f"{path}: {bad}") from None


def _frame(path: str, record: Mapping[str, object], start_ms: int) -> Frame:
    at = record.get("at", 0)
    if isinstance(at, bool) or not isinstance(at, int | float | str):
        raise ConfigurationError(f"{path}.at: expected seconds after the start or ISO 8601")
    time_ms = _instant_ms(f"{path}.at", at, start_ms)
    if "value" in record:
        return _raw(path, record, time_ms)
    device, site = record.get("device"), record.get("site")
    if not isinstance(device, str) or not isinstance(site, str | None):
        raise ConfigurationError(f"{path}: expected `device` as text, and `site` as text or not at all")
    metrics: dict[str, float] = {}
    for name, value in record.items():
        if name in _OWN:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
            raise ConfigurationError(f"{path}.{name}: expected a number that is finite")
        metrics[name] = float(value)
    columns: dict[str, list[float | None]] = {name: [metrics[name]] for name in metrics if name in UNITS}
    others = {name: value for name, value in metrics.items() if name not in UNITS}
    locations, positions = ([Location(site)], [0]) if site is not None else ([], [])
    readings = Readings([device], [time_ms], columns, {0: others} if others else {}, locations, positions)
    return Frame(VERSION, [], readings, [time_ms], {}, [], b"")


def _raw(path: str, record: Mapping[str, object], time_ms: int) -> Frame:
    """The frame of a record as a device sends it: `value` is its JSON, `at` its Kafka timestamp."""
    if unknown := record.keys() - {"value", "at"}:
        raise ConfigurationError(f"{path}.{min(unknown)}: with `value` there is `at` and nothing else")
    batch = Batch([0], [0], [time_ms], [None], [json.dumps(record["value"]).encode()])
    frame = frame_of(batch, DEFAULT_FUTURE_SKEW_MS, PartitionOrder(0))
    if frame.rejected:
        raise ConfigurationError(f"{path}.value: it is rejected, for {frame.rejected[0].reason}")
    return frame


def _instant_ms(path: str, at: At, start_ms: int) -> int:
    try:
        instant_ms = parse_instant_ms(at) if isinstance(at, str) else start_ms + _whole_ms(at)
    except ValueError as bad:
        raise ConfigurationError(f"{path}: {bad}") from None
    if not 0 < instant_ms <= LAST_MS:
        raise ConfigurationError(f"{path}: {at!r} leads out of the years 1970 to 9999")
    return instant_ms


def _whole_ms(seconds: float) -> int:
    if not abs(seconds) <= LAST_MS:  # which `nan` is not either, nor a number that is too large for arithmetic
        raise ValueError(f"{repr(seconds)[:40]} is no number of seconds from 1970 to 9999")
    return round(seconds * 1000)
