"""No sentence sets a value beside its limit in such a way that the two look alike, or stand the wrong way round."""

import json
import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fleetpulse.alerts import AlertState, Revision, to_json
from fleetpulse.backtest.evidence import checks
from fleetpulse.inactivity.timeouts import InactivityPolicy, OpenSilence, Silence, opened
from fleetpulse.rules.levels import CRITICAL, LevelChange
from fleetpulse.rules.model import read
from fleetpulse.rules.rule import ReadingRule
from fleetpulse.rules.sentences import sentence
from tests.unit.fleetpulse.rules.timelines import T0, rows, temperatures, version, watch

_NUMBER = re.compile(r"-?[\d,]+(?:\.\d+)?(?:e[+-]\d+)?")
AREA = {"shape": "circle", "lat": 0, "lon": 0}
OF_LIMIT: dict[str, Any] = {
    "above": lambda limit: {"kind": "threshold", "metric": "pressure_hpa", "above": {"critical": limit}},
    "below": lambda limit: {"kind": "threshold", "metric": "pressure_hpa", "below": {"critical": limit}},
    "battery": lambda limit: {"kind": "battery", "below": {"critical": limit}},
    "rate": lambda limit: {"kind": "rate", "metric": "pressure_hpa", "above": {"critical": limit}},
    "deviation": lambda limit: {"kind": "deviation", "metric": "pressure_hpa", "sigmas": {"critical": limit}},
    "geofence": lambda limit: {"kind": "geofence", "area": AREA | {"radius_m": limit}},
    "missing": lambda limit: {"kind": "missing", "metric": "pressure_hpa", "for": f"{round(limit)}s"},
}
LIMITS = st.decimals(1, 20_000, places=3).map(float)
STEPS = st.decimals("0.0001", 3, places=4).map(float)


def rule_of(fields: dict[str, Any]) -> ReadingRule:
    (rule,) = read({"rules": [fields | {"id": "r"}]}).rules
    assert isinstance(rule, ReadingRule)
    return rule


def numbers_in(text: str) -> list[float]:
    return [float(found.replace(",", "")) for found in _NUMBER.findall(text.replace(", ", " ; "))]


@pytest.mark.parametrize("kind", OF_LIMIT)
@given(limit=LIMITS, step=STEPS)
def test_the_value_of_an_open_alert_is_beyond_its_limit_as_written(kind: str, limit: float, step: float) -> None:
    below = kind in ("below", "battery")
    value = limit - step if below else limit + step
    rule = rule_of(OF_LIMIT[kind](limit))
    said = sentence(rule, "d", AlertState.OPEN, LevelChange(0, 0, 0, T0, CRITICAL, value, limit, T0), T0)
    shown, *others = numbers_in(said)
    assert shown < limit if below else shown > limit
    assert others in ([], [limit])


@given(silent_ms=st.integers(60_001, 63_000), timeout_ms=st.integers(58_000, 60_000))
@pytest.mark.parametrize("kind", ["inactivity", "never_seen"])
def test_a_silence_is_longer_than_its_timeout_as_written(kind: str, silent_ms: int, timeout_ms: int) -> None:
    alert = OpenSilence(T0 + silent_ms, T0, Silence("r", timeout_ms, kind))
    said = opened("d", alert, InactivityPolicy()).summary
    assert max(float(found) for found in re.findall(r"([\d.]+) s\b", said)) > timeout_ms / 1000


HELD = {"above": {"warning": 30, "critical": 40}, "hysteresis": 3, "for": "2s"}


@given(st.lists(st.decimals(25, 43, places=4).map(float), min_size=3, max_size=12))
def test_every_live_sentence_names_a_value_beyond_the_limit(values: list[float]) -> None:
    rule = HELD | {"kind": "threshold", "id": "r", "metric": "temperature_c"}
    (known,) = version(rule).rules.rules
    told = temperatures(*enumerate(values))
    revisions = [r for r in watch(rule).advance(rows(*told), T0 + 20_000) if r.state in ("open", "updated")]
    assume(revisions)
    for revision in revisions:
        names_what_is_beyond(revision)
        claims = checks(json.loads(to_json(revision, 0)), known, None)
        assert [check.claim for check in claims if not check.holds] == []


def names_what_is_beyond(revision: Revision) -> None:
    first, limit = numbers_in(revision.summary.partition("temperature_c ")[2])[:2]
    assert first > limit == revision.limit, revision.summary
    if "not yet" in revision.summary:
        assert revision.value is not None
        assert revision.value <= limit
        now = numbers_in(revision.summary.partition("now ")[2])[0]
        assert limit - 3 < now <= limit
