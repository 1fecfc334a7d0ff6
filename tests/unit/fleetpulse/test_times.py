"""Event time, as records write it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.times import first_multiple_after, iso, to_epoch_ms

NEW_YEAR_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z


@pytest.mark.parametrize(
    ("written", "epoch_ms"),
    [
        pytest.param(1_767_225_600, NEW_YEAR_MS, id="seconds"),
        pytest.param(Decimal("1767225600.123"), NEW_YEAR_MS + 123, id="fractional seconds"),
        pytest.param(NEW_YEAR_MS, NEW_YEAR_MS, id="milliseconds"),
        pytest.param(NEW_YEAR_MS + Decimal("0.9"), NEW_YEAR_MS, id="a fraction of a millisecond is cut"),
        pytest.param(NEW_YEAR_MS * 1000 + 999, NEW_YEAR_MS, id="microseconds"),
        pytest.param(NEW_YEAR_MS * 1_000_000 + 999_999, NEW_YEAR_MS, id="nanoseconds"),
        pytest.param(Decimal("1767225600.1239"), NEW_YEAR_MS + 123, id="decimal"),
        pytest.param(Decimal("1767225600." + "9" * 40), NEW_YEAR_MS + 999, id="more digits than arithmetic keeps"),
        pytest.param(99_999_999_999, 99_999_999_999_000, id="the largest second"),
        pytest.param(100_000_000_000, 100_000_000_000, id="the smallest millisecond"),
        pytest.param("2026-01-01T00:00:00Z", NEW_YEAR_MS, id="ISO in UTC"),
        pytest.param("2026-01-01T00:00:00", NEW_YEAR_MS, id="ISO without offset is UTC"),
        pytest.param("2026-01-01T02:00:00.250+02:00", NEW_YEAR_MS + 250, id="ISO with offset"),
        pytest.param("2026-01-01 00:00:00.250999", NEW_YEAR_MS + 250, id="ISO with a space, cut to ms"),
        pytest.param("2026-01-01T00:00:00,250Z", NEW_YEAR_MS + 250, id="ISO with a comma"),
        pytest.param(
            "2026-01-01T00:00:00.2509999999999Z", NEW_YEAR_MS + 250, id="ISO with more digits than clocks have"
        ),
        pytest.param("2026-01-01T00:00Z", NEW_YEAR_MS, id="ISO without seconds"),
        pytest.param("2026-01-01T05:30+0530", NEW_YEAR_MS, id="ISO with an offset without a colon"),
        pytest.param("2025-12-31T23:00:00-01", NEW_YEAR_MS, id="ISO with an offset of hours"),
        pytest.param("2026-01-01T23:59:00+23:59", NEW_YEAR_MS, id="ISO with the largest offset"),
        pytest.param("20260101T000000.25Z", NEW_YEAR_MS + 250, id="basic ISO"),
        pytest.param("20260101T0530+0530", NEW_YEAR_MS, id="basic ISO without seconds"),
    ],
)
def test_time_is_read_in_every_form(written, epoch_ms):
    assert to_epoch_ms(written) == epoch_ms


@pytest.mark.parametrize(
    "written",
    [0, -1, 10**40, "", "yesterday", "2026-01-01", "1767225600",
     "2026-01-01T23:59:60Z", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z",
     "2026-01-01T10:00.5", "2026-01-01T10:00:003", "2026-01-01T10:00:00+05:70", "2026-01-01T10:00:00+24:00",
     "2026-01-01T10:00:00+05:30:15", "20240131T10000Z", "20240131 100000", "20240131T10:00:00", "2024-01-31T100000",
     "2024-W05-3T10:00:00Z", "2024-031T10:00:00Z", "2026-01-01T10", "2026-01-01T10Z", "2026-01-01T24:00:00Z",
     "2026-01-01T10:60:00Z", "2026-01-01T10:00:00.Z", "2026-01-01T10:00:00 Z", "2026-01-01t10:00:00z",
     "2026-01-01  10:00:00", " 2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z\n", "2026-01-01_10:00:00",
     "2026-1-1T10:00:00Z",
     "2026-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "+2026-01-01T10:00:00Z", "٢٠٢٦-01-01T10:00:00Z",
     *map(Decimal, ("-1.5", "0.0001", "1e-1000000", "inf", "-inf", "nan", "1e1000000"))],
)  # fmt: skip
def test_what_is_no_time_after_1970_is_refused(written):
    with pytest.raises(ValueError):  # noqa: PT011 - the caller only needs to know that it is none
        to_epoch_ms(written)


@given(st.integers(min_value=10**11, max_value=10**14 - 1))
def test_milliseconds_are_kept_and_written_back(epoch_ms):
    assert to_epoch_ms(epoch_ms) == epoch_ms
    assert to_epoch_ms(iso(epoch_ms)) == epoch_ms


@given(st.integers(min_value=0, max_value=10**14), st.integers(min_value=1, max_value=10**8))
def test_next_multiple_is_later_and_nearest(epoch_ms, period_ms):
    instant_ms = first_multiple_after(epoch_ms, period_ms)
    assert instant_ms % period_ms == 0
    assert epoch_ms < instant_ms <= epoch_ms + period_ms
