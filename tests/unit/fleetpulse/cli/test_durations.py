import pytest

from fleetpulse.cli.durations import parse_duration_ms, parse_instant_ms
from fleetpulse.times import iso


@pytest.mark.parametrize(
    ("text", "unit", "expected_ms"),
    [
        ("10", "ms", 10),
        ("10", "s", 10_000),
        ("0.5", "ms", 0.5),
        ("2s", "ms", 2_000),
        ("500ms", "s", 500),
        ("1.5m", "s", 90_000),
        ("1h", "s", 3_600_000),
        ("1d", "s", 86_400_000),
        (" 3s ", "ms", 3_000),
    ],
)
def test_a_duration_counts_in_its_own_unit_or_in_the_usual_one(text, unit, expected_ms):
    assert parse_duration_ms(text, unit) == expected_ms


@pytest.mark.parametrize("text", ["", "s", "-1", "1 s", "1e3", "1y", "nan", "1s2", "10 m 5 s"])
def test_what_is_no_duration_is_refused_with_what_was_found(text):
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration_ms(text, "s")


@pytest.mark.parametrize(
    "text",
    ["1767225600250", "2026-01-01T00:00:00.250Z", "2026-01-01T01:00:00.250+01:00", "2026-01-01 00:00:00.250"],
)
def test_an_instant_is_epoch_ms_or_iso(text):
    assert parse_instant_ms(text) == 1_767_225_600_250


@pytest.mark.parametrize("text", ["", "now", "-5", "0", "2026-13-01", "1969-01-01"])
def test_what_is_no_instant_is_refused(text):
    with pytest.raises(ValueError, match=r"neither epoch milliseconds|not after 1970"):
        parse_instant_ms(text)


def test_iso_has_milliseconds_and_is_read_back():
    assert iso(1_767_225_600_005) == "2026-01-01T00:00:00.005Z"
    assert parse_instant_ms(iso(1_767_225_600_005)) == 1_767_225_600_005
