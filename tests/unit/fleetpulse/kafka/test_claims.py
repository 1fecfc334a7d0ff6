"""Of two runs that write a topic the newer one has it, whichever of them restarts."""

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import OFFSET_INVALID, KafkaError, KafkaException

from fleetpulse.errors import FleetpulseError
from fleetpulse.kafka import claims
from fleetpulse.kafka.claims import TopicClaim, claimed
from tests.waiting import wait_until


def test_the_first_run_has_the_topic_and_keeps_it_through_restarts() -> None:
    assert claimed((), "monitor.1") == ("monitor.1",)
    assert claimed(("monitor.1",), "monitor.1") == ("monitor.1",)


def test_a_newer_run_takes_over_and_the_older_one_never_gets_it_back() -> None:
    after = claimed(("monitor.1",), "inactivity.2")
    assert after == ("monitor.1", "inactivity.2")
    with pytest.raises(LookupError, match=r"inactivity\.2"):
        claimed(after, "monitor.1")
    assert claimed(after, "inactivity.2") == after


def test_no_more_runs_are_kept_than_fit() -> None:
    runs: tuple[str, ...] = ()
    for number in range(100):
        runs = claimed(runs, f"inactivity.{number:08x}")
    assert runs[-1] == "inactivity.00000063"
    assert len(" ".join(runs)) < 4096


FORGOTTEN = SimpleNamespace(error=None, offset=OFFSET_INVALID, metadata=None)


class Broker:
    """Keeps an offset with its metadata, and fences the producers before the newest."""

    def __init__(self) -> None:
        self.kept: Any = FORGOTTEN
        self.epoch = 0
        self.before_commit: list[Any] = []  # called once each, as if somebody else came in between

    def producer(self, _servers: str, _name: str) -> Any:
        self.epoch += 1
        epoch, sent = self.epoch, []

        def commit(_timeout_s: float) -> None:
            if self.before_commit:
                self.before_commit.pop()()
            if epoch != self.epoch:
                raise KafkaException(KafkaError(KafkaError._FENCED))
            self.kept = SimpleNamespace(error=None, offset=sent[0].offset, metadata=sent[0].metadata)

        return SimpleNamespace(
            begin_transaction=lambda: None,
            send_offsets_to_transaction=lambda places, _group, _timeout_s: sent.extend(places),
            commit_transaction=commit,
        )

    def consumer(self, _settings: object) -> Any:
        return SimpleNamespace(
            committed=lambda _places, _timeout_s: [self.kept],
            consumer_group_metadata=lambda: None,
            close=lambda: None,
        )


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()
    monkeypatch.setattr(claims, "exclusive_producer", broker.producer)
    monkeypatch.setattr(claims, "Consumer", broker.consumer)
    monkeypatch.setattr(claims, "_LOOK_EVERY_S", 0.001)
    return broker


def test_a_run_that_is_followed_by_another_fails_with_one_line_that_names_both(broker: Broker) -> None:
    first, second = (TopicClaim("kafka:9092", "alerts", run) for run in ("monitor.1", "monitor.2"))
    first.take()
    first.check()
    second.take()
    first._watching.join(30)
    with pytest.raises(FleetpulseError, match=r"another job, monitor\.2, .* topic 'alerts': this one, monitor\.1,"):
        first.check()
    second.check()
    again = TopicClaim("kafka:9092", "alerts", "monitor.1")  # the first is restarted
    with pytest.raises(FleetpulseError, match="another job"):
        again.take()
    second.check()
    for claim in (first, second, again):
        claim.close()


def test_a_claim_that_kafka_has_forgotten_is_made_again(broker: Broker) -> None:
    claim = TopicClaim("kafka:9092", "alerts", "monitor.1")
    claim.take()
    broker.kept = FORGOTTEN
    wait_until("the claim to be there again", lambda: broker.kept.metadata == "monitor.1")
    claim.check()
    claim.close()


def test_a_run_whose_claim_was_forgotten_gives_way_to_a_newer_one(broker: Broker) -> None:
    first, second = (TopicClaim("kafka:9092", "alerts", run) for run in ("monitor.1", "monitor.2"))
    first.take()
    broker.kept = SimpleNamespace(error=None, offset=1, metadata="monitor.2")
    first._watching.join(30)
    with pytest.raises(FleetpulseError, match=r"another job, monitor\.2"):
        first.check()
    second.take()
    second.check()
    for claim in (first, second):
        claim.close()


def test_of_two_that_claim_at_once_the_one_that_is_fenced_looks_again(broker: Broker) -> None:
    one, other = (TopicClaim("kafka:9092", "alerts", run) for run in ("monitor.1", "monitor.2"))
    broker.before_commit.append(other.take)
    one.take()
    one.check()
    assert broker.kept.metadata == "monitor.2 monitor.1"
    other._watching.join(30)
    with pytest.raises(FleetpulseError):
        other.check()
    one.close()
    other.close()


def test_a_broker_that_does_not_answer_is_reported_in_one_line(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> Any:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    monkeypatch.setattr(claims, "exclusive_producer", away)
    with pytest.raises(FleetpulseError, match="topic 'alerts' cannot be claimed"):
        TopicClaim("kafka:9092", "alerts", "monitor.1").take()
