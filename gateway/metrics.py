"""Metrics: what Prometheus reads at /metrics. Labels are kinds, codes and names of ours, never values of documents."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """One registry per gateway, so that several can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.documents = self._counter("documents", "Documents by kind and outcome", "kind", "outcome")
        self.deliveries = self._counter("deliveries", "Deliveries by what came of them", "outcome")
        self.messages = self._counter("messages", "Messages handed to e-ports", "eport", "outcome")
        self.receipts = self._counter("receipts", "Receipts by message type and standing", "message", "standing")
        self.results = self._counter("results", "Results published")
        self.failures = self._counter("failures", "Rounds of a step that failed", "step")
        self.rounds = Histogram(
            "tongguan_round_seconds",
            "Time of one round that did something",
            ["step"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.consuming = Gauge("tongguan_consuming", "Whether intake receives deliveries", registry=self.registry)
        self.statements = self._counter("statements", "SQL statements run")

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"tongguan_{name}", about, labels, registry=self.registry)
