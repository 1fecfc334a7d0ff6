"""Figures of a run, from its samples."""

import pytest

from bench.measure import Sample, spread, summarize


def samples(*seen: tuple[float, int]) -> list[Sample]:
    return [Sample(seconds, records, seconds * 2, 1024 * 1024) for seconds, records in seen]


def test_steady_rate_leaves_out_the_start_and_the_end() -> None:
    # 10 s to start, 1,000 records/s up to 900, then a slow end.
    result = summarize(samples((0, 0), (10, 0), (10.2, 200), (10.9, 900), (20, 1000)), 1000, 20, 7)
    assert result.steady_per_second == pytest.approx(1000)
    assert result.from_submission_per_second == 50
    assert result.alerts == 7


def test_a_moment_between_two_samples_lies_on_the_line_between_them() -> None:
    assert summarize(samples((0, 0), (10, 1000)), 1000, 10, 0).steady_per_second == pytest.approx(100)


def test_a_counter_that_is_refreshed_seldom_does_not_shorten_the_run() -> None:
    seldom = samples((0, 0), (5, 500), (6, 500), (7, 500), (10, 1000))
    assert summarize(seldom, 1000, 10, 0).steady_per_second == pytest.approx(100)


def test_cpu_is_per_million_records_and_memory_the_highest_seen() -> None:
    result = summarize(samples((0, 0), (10, 500_000)), 500_000, 10, 0)
    assert (result.cpu_seconds_per_million, result.peak_rss_mib) == (40, 1)


def test_spread_is_median_lowest_highest() -> None:
    assert spread([3, 1, 2]) == (2, 1, 3)
