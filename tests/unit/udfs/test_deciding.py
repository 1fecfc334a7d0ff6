"""What the keyed function adds to a shard: all shards of a subtask know of lost records once one was told."""

from unittest.mock import Mock

from pyflink.common import Row

from fleetpulse.records.frames import excuse
from fleetpulse.shard.outputs import OutputTopics
from fleetpulse.shard.shard import ShardPolicy
from udfs.deciding import Decide

AT_MS = 1_767_225_600_000


def context(key: int) -> Mock:
    timers = Mock(current_watermark=lambda: 0)
    return Mock(get_current_key=lambda: key, timer_service=lambda: timers)


def test_lost_records_that_one_shard_is_told_of_excuse_the_others_of_its_subtask_too() -> None:
    decide = Decide(ShardPolicy(("events",), shards=3), OutputTopics(("events",), "late", "dlq"), (0, 1, 2))
    decide.open(Mock(get_map_state=lambda _descriptor: Mock(items=lambda: ())))
    decide.process_element(Row(None, AT_MS, None), context(0))
    decide.process_element(Row(excuse(AT_MS), None, None), context(1))
    decide.process_element(Row(None, AT_MS, None), context(2))
    assert [decide._shards[key].excused_until_ms for key in range(3)] == [AT_MS] * 3
