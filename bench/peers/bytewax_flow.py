"""Bytewax, started twice, the partitions shared between the processes: in state it could recover, or in bare memory."""

import copy
import os
from collections.abc import Iterable
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.connectors.kafka import operators as kafka
from bytewax.dataflow import Dataflow, Stream

from bench.peers.silence import Progress, Silence, decode

_BROKERS = [os.environ["BENCH_BROKERS"]]
_partitions: dict[int | None, Silence] = {}
_progress = Progress()


class Keyed(op.StatefulBatchLogic[KafkaSourceMessage, KafkaSinkMessage, Silence]):
    """One partition's silence as the operator's state."""

    def __init__(self, resume: Silence | None) -> None:
        self._silence = resume or Silence()

    def on_batch(self, values: list[KafkaSourceMessage]) -> tuple[Iterable[KafkaSinkMessage], bool]:
        """Take a batch of the partition's records; keep the state."""
        _progress.add(len(values))
        return _decide(self._silence, values), False

    def snapshot(self) -> Silence:
        """State as it is now."""
        return copy.deepcopy(self._silence)


def in_memory(messages: list[KafkaSourceMessage]) -> Iterable[KafkaSinkMessage]:
    """Take a batch of records of whatever partitions this process reads."""
    _progress.add(len(messages))
    return [
        alert
        for message in messages
        for alert in _decide(_partitions.setdefault(message.partition, Silence()), [message])
    ]


def _decide(silence: Silence, messages: list[KafkaSourceMessage]) -> list[KafkaSinkMessage]:
    return [KafkaSinkMessage(None, alert) for message in messages for alert in silence.accept(decode(message.value))]


def _alerts(telemetry: Stream[Any]) -> Stream[Any]:
    if os.environ.get("BENCH_STATE") == "memory":
        return op.flat_map_batch("decide", telemetry, in_memory)
    keyed = op.key_on("partition", telemetry, lambda message: str(message.partition))
    return op.key_rm("alerts", op.stateful_batch("decide", keyed, Keyed))


flow = Dataflow("bench")
source = KafkaSource(_BROKERS, [os.environ["BENCH_TOPIC"]], tail=False, batch_size=10_000)
kafka.output("output", _alerts(op.input("telemetry", flow, source)), brokers=_BROKERS, topic=os.environ["BENCH_ALERTS"])
