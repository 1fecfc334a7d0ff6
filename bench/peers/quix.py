"""Quix Streams: one process, the decision in memory by partition."""

import sys
from typing import Any

from quixstreams import Application, message_context

from bench.peers.silence import Progress, Silence, decode


def main(bootstrap_servers: str, topic: str, alerts_topic: str, records: str) -> None:
    """Read so many records and write alerts."""
    application = Application(
        broker_address=bootstrap_servers,
        consumer_group=f"bench-{alerts_topic}",
        auto_offset_reset="earliest",
        consumer_extra_config={"queued.min.messages": 1_000_000},
        loglevel="WARNING",
    )
    partitions: dict[int, Silence] = {}
    progress = Progress()

    def decide(value: bytes) -> list[Any]:
        progress.add(1)
        if progress.records == int(records):
            application.stop()
        silence = partitions.setdefault(message_context().partition, Silence())
        return list(silence.accept(decode(value)))

    telemetry = application.dataframe(application.topic(topic, value_deserializer="bytes"))
    alerts = telemetry.apply(decide, expand=True)
    alerts.to_topic(application.topic(alerts_topic, value_serializer="bytes"))
    application.run()
    progress.say()


if __name__ == "__main__":
    main(*sys.argv[1:])
