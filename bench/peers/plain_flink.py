"""PyFlink the plain way: one record at a time, keyed by device, state and a timer a device.

flink run -py bench/peers/plain_flink.py --brokers … --topic … --alerts …
"""

import argparse
import json
from collections.abc import Iterator
from typing import Any

from pyflink.common import Duration, SimpleStringSchema, Types, WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment, TimerService
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from pyflink.datastream.state import ValueStateDescriptor

TIMEOUT_MS = 60_000
PERIOD_MS = 30_000
END_OF_INPUT_MS = 2**63 - 1


class Inactivity(KeyedProcessFunction):
    """State: when the device was last heard, and whether a timer waits. Timers: the first evaluation it could miss."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self._last_seen = runtime_context.get_state(ValueStateDescriptor("last-seen", Types.LONG()))
        self._waiting = runtime_context.get_state(ValueStateDescriptor("waiting", Types.BOOLEAN()))

    def process_element(self, record: dict[str, Any], context: KeyedProcessFunction.Context) -> Iterator[str]:
        before, awaited = self._last_seen.value() or 0, self._waiting.value()
        # One partition may be far ahead of the watermark: the record after a silence can come before its timer.
        if awaited and record["ts"] >= _first_missed(before):
            yield _alert(context.get_current_key(), before)
        now = max(before, record["ts"])
        self._last_seen.update(now)
        if not awaited:
            self._wait(context.timer_service(), now)

    def on_timer(self, timestamp: int, context: KeyedProcessFunction.OnTimerContext) -> Iterator[str]:
        timers, last_seen = context.timer_service(), self._last_seen.value()
        if timers.current_watermark() == END_OF_INPUT_MS:
            return
        if timestamp - last_seen > TIMEOUT_MS:
            self._waiting.update(False)
            yield _alert(context.get_current_key(), last_seen)
        else:
            self._wait(timers, last_seen)

    def _wait(self, timers: TimerService, last_seen: int) -> None:
        timers.register_event_time_timer(_first_missed(last_seen))
        self._waiting.update(True)


def _first_missed(last_seen: int) -> int:
    """The first evaluation at which a device last heard then has been silent for too long."""
    return (last_seen + TIMEOUT_MS) // PERIOD_MS * PERIOD_MS + PERIOD_MS


def _alert(device: str, last_seen: int) -> str:
    return json.dumps({"device-id": device, "latest-event-time": last_seen})


def main() -> None:
    """Submit the job; it ends where the topic ends now."""
    parser = argparse.ArgumentParser()
    for name in ("--brokers", "--topic", "--alerts"):
        parser.add_argument(name, required=True)
    arguments = parser.parse_args()

    environment = StreamExecutionEnvironment.get_execution_environment()
    environment.set_parallelism(2)
    environment.enable_checkpointing(10_000)
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(arguments.brokers)
        .set_topics(arguments.topic)
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_bounded(KafkaOffsetsInitializer.latest())
        .set_value_only_deserializer(SimpleStringSchema())
        .build()
    )
    sink = (
        KafkaSink.builder()
        .set_bootstrap_servers(arguments.brokers)
        .set_record_serializer(
            KafkaRecordSerializationSchema.builder()
            .set_topic(arguments.alerts)
            .set_value_serialization_schema(SimpleStringSchema())
            .build()
        )
        .build()
    )
    # The Kafka timestamp is the event time here, and what the source gives each record.
    watermarks = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(2))
    (
        environment.from_source(source, watermarks, "telemetry")
        .map(json.loads, Types.PICKLED_BYTE_ARRAY())
        .key_by(lambda record: record["device_id"], Types.STRING())
        .process(Inactivity(), Types.STRING())
        .sink_to(sink)
    )
    environment.execute("bench plain PyFlink")


if __name__ == "__main__":
    main()
