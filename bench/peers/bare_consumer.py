"""No framework: one Python process with confluent-kafka and msgspec."""

import sys

from confluent_kafka import Consumer, Producer, TopicPartition

from bench.peers.silence import Progress, Silence, decode


def main(bootstrap_servers: str, topic: str, alerts_topic: str) -> None:
    """Read the topic to its end and write alerts."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "bench-bare",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "queued.min.messages": 1_000_000,
        }
    )
    producer = Producer({"bootstrap.servers": bootstrap_servers})
    partitions = {partition: Silence() for partition in consumer.list_topics(topic).topics[topic].partitions}
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    progress = Progress()
    reading = len(partitions)
    while reading:
        messages = consumer.consume(10_000, 0.1)
        records = [message for message in messages if message.error() is None]
        reading -= len(messages) - len(records)  # the only errors asked for are ends of partitions
        for record in records:
            for alert in partitions[record.partition()].accept(decode(record.value() or b"")):
                producer.produce(alerts_topic, alert)
        progress.add(len(records))
    producer.flush()
    progress.say()


if __name__ == "__main__":
    main(*sys.argv[1:])
