"""Records out of order, and belated ones: what they are behind is their own partition, in the order of arrival."""

from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.frames.order import PartitionOrder

BOUND_MS = 3
# Partition, seen time, whether it was rejected.
RECORDS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12), st.booleans()))


def belated(
    records: list[tuple[int, int, bool]], order: PartitionOrder, latest_ms: int | None = None
) -> dict[int, int]:
    rejected = [index for index, (_, _, is_rejected) in enumerate(records) if is_rejected]
    return order.belated([o for o, _, _ in records], [t for _, t, _ in records], rejected, latest_ms)


def accepted(*records: tuple[int, int]) -> list[tuple[int, int, bool]]:
    return [(origin, time_ms, False) for origin, time_ms in records]


def count(records: list[tuple[int, int, bool]]) -> int:
    order = PartitionOrder(BOUND_MS)
    belated(records, order)
    return order.out_of_order


def test_an_older_record_of_the_same_partition_is_out_of_order():
    assert count(accepted((0, 5), (0, 4), (0, 6), (0, 5))) == 2


def test_equal_times_other_partitions_and_rejected_records_are_not():
    assert count([(0, 5, False), (0, 5, False), (1, 3, False), (0, 0, True), (0, 2, True)]) == 0


def test_a_record_exactly_at_the_bound_is_in_order_and_one_beyond_it_is_belated():
    assert belated(accepted((0, 10), (0, 7), (0, 6)), PartitionOrder(BOUND_MS)) == {2: 10}


def test_a_rejected_record_can_be_belated_and_makes_no_other_so():
    records = [(0, 10, False), (0, 2, True), (1, 12, True), (1, 2, False)]
    assert belated(records, PartitionOrder(BOUND_MS)) == {1: 10}


def test_a_time_beyond_the_latest_makes_no_record_belated():
    records = accepted((0, 6), (0, 99), (0, 3), (0, 2))
    assert belated(records, PartitionOrder(BOUND_MS), latest_ms=8) == {3: 6}
    assert belated(records, PartitionOrder(BOUND_MS)) == {2: 99, 3: 99}


@given(RECORDS, RECORDS)
def test_batches_make_no_difference(first, second):
    apart, together = PartitionOrder(BOUND_MS), PartitionOrder(BOUND_MS)
    found = belated(first, apart) | {index + len(first): at for index, at in belated(second, apart).items()}
    assert belated(first + second, together) == found
    assert apart.out_of_order == together.out_of_order


@given(RECORDS)
def test_what_is_sorted_has_none(records):
    in_order = sorted(accepted(*((origin, time_ms) for origin, time_ms, _ in records)), key=lambda r: r[1])
    assert count(in_order) == 0
    assert belated(in_order, PartitionOrder(BOUND_MS)) == {}


@given(RECORDS)
def test_it_is_what_the_definition_says(records):
    before = [
        max((time_ms for origin, time_ms, rejected in records[:at] if origin == of and not rejected), default=0)
        for at, (of, _, _) in enumerate(records)
    ]
    assert count(records) == sum(
        not rejected and 0 < time_ms < newest for (_, time_ms, rejected), newest in zip(records, before, strict=True)
    )
    assert belated(records, PartitionOrder(BOUND_MS)) == {
        at: newest
        for at, ((_, time_ms, _), newest) in enumerate(zip(records, before, strict=True))
        if 0 < time_ms < newest - BOUND_MS
    }
