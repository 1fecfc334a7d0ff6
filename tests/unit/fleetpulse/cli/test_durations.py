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
    with pytest.raises(
        ValueError, match=r"is neither ISO 8601 like .* nor a number of s, ms, us or ns since the epoch, from"
    ):
        parse_instant_ms(text)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1767225600", "2026-01-01T00:00:00.000Z"),
        ("1767225600.25", "2026-01-01T00:00:00.250Z"),
        ("1767225600250", "2026-01-01T00:00:00.250Z"),
        ("1767225600250000", "2026-01-01T00:00:00.250Z"),
        ("1767225600250000000", "2026-01-01T00:00:00.250Z"),
        ("99999999999999", "5138-11-16T09:46:39.999Z"),  # the last in milliseconds
        ("100000000000000", "1973-03-03T09:46:40.000Z"),  # the first in microseconds
        ("253402300800000", "1978-01-11T21:31:40.800Z"),  # would be the year 10000 in milliseconds
    ],
)
def test_the_unit_of_a_number_follows_from_its_magnitude(text, instant):
    assert iso(parse_instant_ms(text)) == instant


def test_iso_has_milliseconds_and_is_read_back():
    assert iso(1_767_225_600_005) == "2026-01-01T00:00:00.005Z"
    assert parse_instant_ms(iso(1_767_225_600_005)) == 1_767_225_600_005
