"""Numbers in sentences: short, and never on another side of a limit than they are."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fleetpulse.numbers import exact, number, seconds

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def near(limit: float) -> st.SearchStrategy[float]:
    """Values around a limit, most of them close to it."""
    shares = st.sampled_from([1e-16, 1e-12, 1e-9, 1e-6, 1e-4, 1e-2]).flatmap(lambda least: st.floats(-least, least))
    return shares.map(lambda share: limit + share * (abs(limit) or 1.0)) | FINITE


PAIRS = FINITE.flatmap(lambda limit: st.tuples(near(limit), st.just(limit)))
DURATIONS = st.integers(1, 10**10).flatmap(
    lambda limit_ms: st.tuples(st.integers(-2_000, 2_000).map(lambda more: max(0, limit_ms + more)), st.just(limit_ms))
)


def written(text: str) -> float:
    return float(text.replace(",", ""))


@given(PAIRS)
@example((1040.02, 1040.0))
@example((9999.99, 9990.0))
@example((-0.0, 0.0))
def test_texts_are_ordered_as_their_values(pair: tuple[float, float]) -> None:
    value, limit = pair
    text, shown = number(value, beside=[limit]), exact(limit)
    assert written(shown) == limit
    assert (text == shown) == (value == limit)
    assert (written(text) > written(shown)) == (value > limit)


@given(PAIRS, FINITE)
def test_a_value_stands_right_beside_two_limits(pair: tuple[float, float], other: float) -> None:
    value, limit = pair
    text = written(number(value, beside=[limit, other]))
    for each in (limit, other):
        assert (text > each, text < each) == (value > each, value < each)


@given(DURATIONS)
@example((60_001, 60_000))
def test_durations_are_ordered_as_their_milliseconds(pair: tuple[int, int]) -> None:
    value_s, limit_s = (each_ms / 1000 for each_ms in pair)
    text = seconds(value_s, beside=[limit_s]).removesuffix(" s")
    assert (text == exact(limit_s).replace(",", "")) == (value_s == limit_s) or written(text) == limit_s == value_s
    assert (written(text) > limit_s, written(text) < limit_s) == (value_s > limit_s, value_s < limit_s)


@given(FINITE)
def test_four_digits_are_enough_alone(value: float) -> None:
    assume(abs(value) < 9_999)
    assert len(number(value).lstrip("-0.").partition("e")[0].replace(".", "")) <= 4


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        (1040.02, 1040, "1040.02 hPa"),
        (1040.4, 1040, "1040.4 hPa"),
        (1058.4, 1040, "1058 hPa"),
        (5.61, 5, "5.61 hPa"),
        (4.99996, 5, "4.99996 hPa"),
        (12_345.6, 12_345, "12,346 hPa"),
        (12_345.2, 12_345, "12,345.2 hPa"),
        (9_999.99, 9_000, "10,000 hPa"),
        (1e300, 1e299, "1e+300 hPa"),
        (40, 40.0, "40 hPa"),
    ],
)
def test_as_few_digits_as_needed(value: float, limit: float, text: str) -> None:
    assert number(value, "hPa", beside=[limit]) == text
