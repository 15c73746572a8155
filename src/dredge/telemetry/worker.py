"""What a worker tells of itself on a port of its own: /health and /metrics."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from dredge.settings import Settings
from dredge.telemetry import exporter


class Watched(Protocol):
    """A worker as its watchers see it."""

    forking: threading.Lock
    outcomes: Mapping[str, int]

    @property
    def running(self) -> int: ...

    @property
    def concurrency(self) -> int: ...

    def stuck(self) -> str | None: ...

    def trouble(self) -> str | None: ...


class WorkerCollector(Collector):
    """Jobs that run, jobs that ended by how, and how many may run at once."""

    def __init__(self, worker: Watched) -> None:
        self._worker = worker

    def collect(self) -> Iterator[Any]:
        """The metrics, one family at a time."""
        worker = self._worker
        yield GaugeMetricFamily("dredge_worker_jobs_running", "Jobs that the worker runs", value=worker.running)
        yield GaugeMetricFamily("dredge_worker_concurrency", "Jobs that the worker may run at once", value=worker.concurrency)
        ended = CounterMetricFamily("dredge_worker_jobs", "Attempts at jobs that ended, by how", labels=["outcome"])
        for outcome, count in worker.outcomes.items():
            ended.add_metric([outcome], count)
        yield ended


def watching(settings: Settings, worker: Watched) -> AbstractContextManager[Any]:
    """Answer on WORKER_PORT meanwhile; nothing where it is 0. Raises Conflict when the port is taken."""
    if not settings.worker_port:
        return nullcontext()
    return exporter.answering(settings.dredge_host, settings.worker_port, [WorkerCollector(worker)],
                              live=worker.stuck, ready=worker.trouble, guard=worker.forking,
                              with_metrics=settings.metrics_enabled)
