#!/usr/bin/env bash
# confluent-kafka 2.16.1 (librdkafka 2.16.0): a record produced with timestamp 0 is stamped with the time of sending.
#
# What happens: produce(timestamp=0) writes the current time; 1 and -5 are written as they are. kafka-python 3.0.12
#   puts 0 into its record as 0.
# Why it surprises: 0 is a valid time, 1970-01-01T00:00:00Z, and Python's way to give no timestamp is to leave it out.
#   The Python documentation of `produce` does not mention it.
# What it means: a device whose clock was never set often sends time 0. A gateway that copies this to Kafka's
#   timestamp makes the oldest reading the newest: it is not late, advances the watermark, and shows the device alive.
#   Check for 0 before producing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check confluent-kafka==2.16.1 kafka-python==3.0.12

cat > "$work/produce.py" <<'PY'
import time

import confluent_kafka
from kafka.record import MemoryRecords, MemoryRecordsBuilder

print("confluent-kafka", confluent_kafka.version(), "librdkafka", confluent_kafka.libversion()[0])
# librdkafka brings a cluster for tests of its own, inside the producer's process.
producer = confluent_kafka.Producer({"bootstrap.servers": "none:9092", "test.mock.num.brokers": 1, "log_level": 3})
[broker] = producer.list_topics(timeout=10).brokers.values()
started_ms = int(time.time() * 1000)
for timestamp in (0, 1, -5):
    producer.produce("readings", value=str(timestamp), timestamp=timestamp, partition=0)
assert producer.flush(20) == 0

consumer = confluent_kafka.Consumer(
    {"bootstrap.servers": f"{broker.host}:{broker.port}", "group.id": "finding", "auto.offset.reset": "earliest"}
)
consumer.assign([confluent_kafka.TopicPartition("readings", 0, 0)])
seen, deadline = {}, time.monotonic() + 30
while len(seen) < 3 and time.monotonic() < deadline:
    message = consumer.poll(1)
    if message is not None and message.error() is None:
        kind, stamped = message.timestamp()
        assert kind == confluent_kafka.TIMESTAMP_CREATE_TIME
        seen[int(message.value())] = stamped
consumer.close()
for timestamp, stamped in seen.items():
    print(f"confluent-kafka: produced with {timestamp:>2}, consumed with {stamped}")

builder = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=1000)
builder.append(timestamp=0, key=None, value=b"0", headers=[])
builder.close()
[record] = list(MemoryRecords(builder.buffer()).next_batch())
print(f"kafka-python:    written  with  0, read     with {record.timestamp}")

assert seen[1] == 1 and seen[-5] == -5, "timestamps beside 0 have changed"
assert started_ms <= seen[0] <= started_ms + 60_000, "0 is no longer replaced by the current time"
assert record.timestamp == 0, "kafka-python replaces 0, too"
PY
"$work/venv/bin/python" "$work/produce.py"
echo "As described: 0 becomes the current time."
