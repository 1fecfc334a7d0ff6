"""The keyed function of a job: one key is one shard, its state is the shard's log, its timers are the shard's clock."""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass

from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import MapStateDescriptor

from fleetpulse.kafka.claims import TopicClaim
from fleetpulse.printable import printable
from fleetpulse.rules.parts import RuleError
from fleetpulse.shard.clock import BrokerClock
from fleetpulse.shard.outputs import OutputTopics
from fleetpulse.shard.shard import Output, Shard, ShardPolicy
from udfs.gauges import Gauges

_logger = logging.getLogger(__name__)
_WITHOUT_VALUES_MS = 300_000
_MOST_LINES = 20
_BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())
RECORD_TYPE = Types.ROW_NAMED(
    ["topic", "key", "value", "headers", "timestamp_ms"],
    [Types.STRING(), _BYTES, _BYTES, Types.MAP(Types.STRING(), _BYTES), Types.LONG()],
)


@dataclass(frozen=True, slots=True)
class WritePolicy:
    """Topics that this run of the job alone may write."""

    bootstrap_servers: str
    topics: tuple[str, ...]
    run: str


class Decide(KeyedProcessFunction):
    """Brings frames, ticks, rules and the watermark to a shard, and its outputs to Kafka and into keyed state.

    State: the shard's log, see `fleetpulse.shard.log`; a copy in memory is loaded at the shard's first touch.
    Timers: one, for the next evaluation instant or the earliest heartbeat that waits, whichever comes first.
    Outputs: records for several topics, see `fleetpulse.shard.outputs`.
    Cleanup: the shard forgets silent devices; the log drops what is decided.

    The first subtask claims the topics of `writes` before any checkpoint can complete, and fails once a newer run has.
    """

    def __init__(
        self,
        policy: ShardPolicy,
        output_topics: OutputTopics,
        shard_keys: tuple[int, ...],
        writes: WritePolicy | None = None,
    ) -> None:
        self._policy = policy
        self._writes = writes
        self._claims: list[TopicClaim] = []
        self._output_topics = output_topics
        self._numbers = {key: number for number, key in enumerate(shard_keys)}

    def open(self, runtime_context: RuntimeContext) -> None:
        if self._writes is not None and runtime_context.get_index_of_this_subtask() == 0:
            self._claims = [
                TopicClaim(self._writes.bootstrap_servers, t, self._writes.run) for t in self._writes.topics
            ]
            for claim in self._claims:
                claim.take()
        self._log = runtime_context.get_map_state(MapStateDescriptor("shard-log", Types.LONG(), _BYTES))
        self._shards: dict[int, Shard] = {}
        self._excused_until_ms = 0
        self._broker = BrokerClock(self._policy.ticks.ahead_ms)
        self._gauges = Gauges(runtime_context.get_metrics_group(), self._shards)
        self._began_ms = 0
        self._reported: list[str] = []

    def close(self) -> None:
        for claim in self._claims:
            claim.close()

    def process_element(self, item: Row, context: KeyedProcessFunction.Context) -> Iterable[Row]:
        for claim in self._claims:
            claim.check()
        frame, tick_ms, rules = item
        shard = self._shard(context.get_current_key())
        outputs: list[Output] = []
        if frame is not None:
            self._gauges.frames.inc()
            self._gauges.frame_bytes.inc(len(frame))
            outputs = shard.accept(bytes(frame), self._broker.read(time.monotonic()))
            self._excuse(shard.excused_until_ms)
        elif tick_ms is not None:
            self._broker.tick(tick_ms, time.monotonic())
            shard.tick(tick_ms, self._broker.read(time.monotonic()))
            self._report_rules_without_values()
        else:
            outputs = self._learn(shard, bytes(rules))
        return self._finish(shard, outputs, context.timer_service())

    def on_timer(self, timestamp: int, context: KeyedProcessFunction.OnTimerContext) -> Iterable[Row]:  # noqa: ARG002
        shard = self._shard(context.get_current_key())
        timers = context.timer_service()
        return self._finish(shard, shard.advance(timers.current_watermark()), timers)

    def _learn(self, shard: Shard, record: bytes) -> list[Output]:
        """Take a record of the rules topic. None may stop the job: whoever writes there would stop it for good."""
        try:
            return shard.learn(record)
        except RuleError as bad:  # what `fleetpulse rules apply` would have refused
            why = printable(str(bad))
            _logger.warning("a record on the rules topic is no set of rules and is passed over: %s", why)
        except Exception:
            _logger.exception("a record on the rules topic failed, and is passed over")
        self._gauges.rules_refused.inc()
        return []

    def _report_rules_without_values(self) -> None:
        """Log the rules whose metrics have not come within five minutes of event time, whenever these change."""
        watermark_ms = self._gauges.watermark_ms
        self._began_ms = self._began_ms or max(0, watermark_ms)
        if not self._began_ms or watermark_ms < self._began_ms + _WITHOUT_VALUES_MS:
            return
        lacking = self._gauges.rules_without_values()
        if lacking != self._reported:
            self._reported = lacking
            for line in lacking[:_MOST_LINES]:
                _logger.warning("since this subtask started %s; see `fleetpulse rules check --topic`", printable(line))

    def _shard(self, key: int) -> Shard:
        shard = self._shards.get(key)
        if shard is None:
            entries = {number: bytes(entry) for number, entry in self._log.items()}
            shard = self._shards[key] = Shard(self._policy, self._numbers[key], entries)
            shard.excuse(self._excused_until_ms)
        return shard

    def _excuse(self, until_ms: int) -> None:
        """Let all shards of this subtask know what one was told: the others may have no record in the same batch.

        What changes in them is written when they are next touched, before anything else is decided.
        """
        if until_ms > self._excused_until_ms:
            self._excused_until_ms = until_ms
            for shard in self._shards.values():
                shard.excuse(until_ms)

    def _finish(self, shard: Shard, outputs: list[Output], timers) -> list[Row]:  # type: ignore[no-untyped-def]
        self._write(shard)
        watermark_ms = self._gauges.watermark_ms = timers.current_watermark()
        wake_ms = shard.next_timer_ms(watermark_ms)
        if wake_ms is not None:
            timers.register_event_time_timer(wake_ms)
        if not outputs:
            return []
        self._gauges.count(outputs)
        now_ms = time.time_ns() // 1_000_000
        return [Row(*self._output_topics.record(output, now_ms)) for output in outputs]

    def _write(self, shard: Shard) -> None:
        puts, removals = shard.take_writes()
        self._log.put_all(list(puts.items()))  # process mode iterates pairs
        for key in removals:
            self._log.remove(key)
