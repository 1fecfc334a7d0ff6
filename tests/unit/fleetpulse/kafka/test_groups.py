"""How far consumer groups are behind."""

from kafka import TopicPartition

from fleetpulse.kafka.groups import GroupLag, lags

EVENTS_0, EVENTS_1, ALERTS = TopicPartition("events", 0), TopicPartition("events", 1), TopicPartition("alerts", 0)


def test_a_group_has_a_row_for_each_topic_with_the_lag_of_all_its_partitions() -> None:
    states = {"vector": "Stable", "fleetpulse-monitor-alerts": "Empty"}
    committed = {"vector": {ALERTS: 7}, "fleetpulse-monitor-alerts": {EVENTS_0: 90, EVENTS_1: 100, ALERTS: 9}}
    assert lags(states, committed, {EVENTS_0: 100, EVENTS_1: 105, ALERTS: 9}) == [
        GroupLag("fleetpulse-monitor-alerts", "Empty", "alerts", 1, 0),
        GroupLag("fleetpulse-monitor-alerts", "Empty", "events", 2, 15),
        GroupLag("vector", "Stable", "alerts", 1, 2),
    ]


def test_what_was_deleted_or_never_committed_has_no_row() -> None:
    assert lags({"a": "Empty"}, {"a": {EVENTS_0: 3, EVENTS_1: -1}}, {EVENTS_1: 5}) == []
    assert lags({"a": "Empty"}, {"a": {}}, {}) == []


def test_a_topic_that_was_made_anew_is_not_behind_by_less_than_nothing() -> None:
    assert lags({"a": "Empty"}, {"a": {ALERTS: 50}}, {ALERTS: 2}) == [GroupLag("a", "Empty", "alerts", 1, 0)]
