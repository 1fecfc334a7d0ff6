"""Records out of order: older than one of their partition that was read before."""

from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.records.order import count_out_of_order

RECORDS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)))


def count(records: list[tuple[int, int]], newest_ms: dict[int, int]) -> int:
    return count_out_of_order([origin for origin, _ in records], [time_ms for _, time_ms in records], newest_ms)


def test_an_older_record_of_the_same_partition_is_out_of_order():
    assert count([(0, 5), (0, 4), (0, 6), (0, 5)], {}) == 2


def test_equal_times_other_partitions_and_rejected_records_are_not():
    assert count([(0, 5), (0, 5), (1, 3), (0, 0)], {}) == 0


@given(RECORDS, RECORDS)
def test_batches_make_no_difference(first: list[tuple[int, int]], second: list[tuple[int, int]]):
    apart: dict[int, int] = {}
    assert count(first, apart) + count(second, apart) == count(first + second, {})


@given(RECORDS)
def test_what_is_sorted_has_none(records: list[tuple[int, int]]):
    assert count(sorted(records), {}) == 0


@given(RECORDS)
def test_it_is_what_the_definition_says(records: list[tuple[int, int]]):
    before = [[time_ms for origin, time_ms in records[:at] if origin == of] for at, (of, _) in enumerate(records)]
    assert count(records, {}) == sum(
        0 < time_ms < max(earlier, default=0) for (_, time_ms), earlier in zip(records, before, strict=True)
    )
