"""Records that were deleted before they were read are counted, and what Kafka leaves out by itself is not."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.frames.loss import Gap, LossWatch

AT_MS = 1_767_225_600_000


class Partition:
    """One partition whose broker can be asked."""

    def __init__(self, left_off: int | None, log_start: int | None = 0) -> None:
        self.log_start = log_start
        self.watch = LossWatch(lambda _origin: left_off, lambda _origin: self.log_start)

    def lost(self, *offsets: int) -> int:
        gap = self.watch.lost([0] * len(offsets), offsets, [AT_MS + offset for offset in offsets]).get(0)
        return gap.records if gap else 0


def test_what_was_deleted_while_the_job_was_away_is_lost() -> None:
    assert Partition(left_off=100, log_start=400).lost(400, 401) == 300


def test_what_is_deleted_while_the_job_reads_is_lost_too() -> None:
    partition = Partition(left_off=None)
    assert partition.lost(0, 1, 2) == 0
    partition.log_start = 50
    assert partition.lost(50, 51) == 47
    assert partition.lost(52, 53) == 0


def test_it_is_counted_within_a_batch_too() -> None:
    assert Partition(left_off=5, log_start=40).lost(5, 6, 40, 41) == 33


def test_a_job_that_never_read_a_partition_has_lost_nothing_of_it() -> None:
    assert Partition(left_off=None, log_start=400).lost(400, 401) == 0


def test_markers_and_compacted_records_are_not_lost() -> None:
    assert Partition(left_off=100).lost(101, 102, 110, 500) == 0


def test_of_a_jump_only_what_was_deleted_counts() -> None:
    assert Partition(left_off=100, log_start=130).lost(150, 151) == 30


def test_reading_again_from_before_loses_nothing() -> None:
    assert Partition(left_off=100, log_start=50).lost(60, 61) == 0


def test_what_the_broker_does_not_say_at_once_is_counted_once_it_does() -> None:
    partition = Partition(left_off=100, log_start=None)
    assert partition.lost(400, 401) == 0
    partition.log_start = 400
    assert partition.lost(402) == 300
    assert partition.lost(403) == 0


def test_the_first_record_after_a_gap_says_up_to_when_it_lasts() -> None:
    watch = LossWatch(lambda origin: {1: 10, 2: 20}.get(origin), lambda _origin: 30)
    assert watch.lost([0, 1, 2, 1], [5, 30, 35, 31], [1, 2, 3, 4]) == {1: Gap(20, 2), 2: Gap(10, 3)}


def _cut(offsets: Sequence[int], cuts: Sequence[int]) -> list[Sequence[int]]:
    edges = [0, *sorted(cut % (len(offsets) + 1) for cut in cuts), len(offsets)]
    return [offsets[start:end] for start, end in pairwise(edges)]


@given(st.sets(st.integers(0, 60)), st.integers(0, 70), st.integers(0, 70), st.lists(st.integers(0, 60), max_size=4))
def test_it_is_what_was_not_read_below_where_the_log_begins_however_it_is_batched(
    offsets: set[int], left_off: int, log_start: int, cuts: list[int]
) -> None:
    read = sorted(offset for offset in offsets if offset >= left_off)
    partition = Partition(left_off, log_start)
    counted = sum(partition.lost(*batch) for batch in _cut(read, cuts))
    unread = {offset for offset in range(left_off, min(log_start, max(read, default=0))) if offset not in read}
    assert counted == len(unread)
