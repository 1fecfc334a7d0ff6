"""The simulator's metrics for Prometheus, read from the sender at each scrape."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from fleetpulse.errors import FleetpulseError
from generator.scenario import Scenario
from generator.sending.produce import Sender

_LABELS = ("topic", "dialect")


class Address(NamedTuple):
    """Where the metrics are served; port 0 for nowhere."""

    host: str
    port: int


NOWHERE = Address("", 0)


class Meter(Collector):
    """The figures of one simulation; none before it has begun.

    Attributes:
        served_until_ms: all records due by then were handed to Kafka's client, epoch ms.
    """

    def __init__(self, now_ms: Callable[[], float]) -> None:
        self.served_until_ms = 0.0
        self._now_ms = now_ms
        self._watched: tuple[Sender, Scenario] | None = None

    def watch(self, sender: Sender, plan: Scenario) -> None:
        """Show the figures of a simulation that begins."""
        self._watched = sender, plan

    def on_time(self) -> None:
        """Note that all that is due was sent."""
        self.served_until_ms = self._now_ms()

    def collect(self) -> Iterable[Metric]:
        """The present figures."""
        if self._watched is None:
            return
        sender, plan = self._watched
        labels = sender.topic, plan.dialect.value
        behind_ms = self._now_ms() - max(self.served_until_ms, sender.reached_ms or plan.start_ms)
        counters = (
            ("records_sent", "Records handed to Kafka's client", sender.given),
            ("records_acknowledged", "Records that Kafka has for certain", sender.confirmed),
            ("records_failed", "Records that Kafka refused, or that were given up", sender.failed),
            ("bytes_sent", "Keys and values handed to Kafka's client, uncompressed", sender.given_bytes),
        )
        gauges = (
            ("records_waiting", "Records that Kafka has not acknowledged yet", sender.waiting),
            ("devices", "Simulated devices", plan.devices),
            ("lag_seconds", "How far sending is behind its schedule", max(0.0, behind_ms / 1000)),
        )
        for family, rows in ((CounterMetricFamily, counters), (GaugeMetricFamily, gauges)):
            for name, meaning, value in rows:
                metric = family(f"fleetpulse_generator_{name}", meaning, labels=_LABELS)
                metric.add_metric(labels, value)
                yield metric


@contextlib.contextmanager
def served(meter: Meter, at: Address) -> Iterator[None]:
    """Serve the figures, and the process' own, while the context is open.

    Raises:
        FleetpulseError: the address cannot be used.
    """
    if not at.port:
        yield
        return
    registry = CollectorRegistry()
    registry.register(meter)
    ProcessCollector(registry=registry)
    try:
        server, thread = start_http_server(at.port, at.host, registry)
    except OSError as refused:
        raise FleetpulseError(
            f"metrics cannot be served on {at.host}:{at.port} ({refused.strerror or refused}): "
            "choose another --metrics.port, or 0 for none"
        ) from refused
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
