"""Whatever an alert says, its row says the same as text."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.deploy.observability.vector import Dropped, transformed

COLUMNS = ("alert_id", "revision", "device_id", "value", "limit", "summary", "state")
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.sampled_from(["\x00", "\\u0000", "\\\x00", '"value": 1.5', "\u00e9\U0001f525"])
)
nested = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
alerts = st.fixed_dictionaries({}, optional=dict.fromkeys(COLUMNS, scalars | nested) | {"evidence": nested})


def without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    if isinstance(value, dict):
        return {without_nul(name): without_nul(item) for name, item in value.items()}
    return value


def expected(alert: dict[str, Any]) -> dict[str, Any]:
    row = {"origin": "alerts:0:7"}
    for column in COLUMNS:
        value = alert.get(column)
        if isinstance(value, str):
            row[column] = without_nul(value)
        elif value is not None and not isinstance(value, dict | list):
            row[column] = json.dumps(value)
    if isinstance(evidence := alert.get("evidence"), dict | list):
        row["evidence"] = without_nul(evidence)
    return row


@settings(max_examples=200)
@given(alerts, st.booleans())
def test_a_row_says_what_the_alert_says(alert: dict[str, Any], escaped: bool) -> None:
    row = transformed("alert_rows", json.dumps(alert, ensure_ascii=escaped).encode())
    if "evidence" in row:
        row["evidence"] = json.loads(row["evidence"])
    assert row == expected(alert)


@settings(max_examples=100)
@given(st.binary(max_size=200).filter(lambda message: message.strip() != b"{}"))
def test_other_bytes_are_dead_letters(message: bytes) -> None:
    with pytest.raises(Dropped, match=r"^(empty|malformed|not_an_object)$"):
        transformed("alert_rows", message)


@pytest.mark.parametrize("length", [1 << 20, 16 << 20])
def test_a_large_alert_is_a_row_as_any_other(length: int) -> None:
    row = transformed("alert_rows", json.dumps({"summary": "é" * (length // 2), "value": 1.5}).encode())
    assert (len(row["summary"]), row["value"]) == (length // 2, "1.5")
