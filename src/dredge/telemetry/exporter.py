"""The metrics exporter: what no single process knows (queue, jobs, workers, store), asked for at each scrape.

Fits run in children of the workers, which end with them; the exporter counts each fit once when its job is done.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from dredge.errors import Conflict, DredgeError
from dredge.telemetry import metrics

log = logging.getLogger("dredge.metrics")
Ask = Callable[[], Mapping[str, Any]]
Health = Callable[[], str | None]


class SystemCollector(Collector):
    """Asks each part when Prometheus does. A part that fails is told as dredge_up 0, never as a failed scrape.

    `parts` maps a part's name to a function that answers with numbers by metric name (without `dredge_`), or with numbers
    by state for a metric that is split by state.
    """

    def __init__(self, parts: Mapping[str, Ask]) -> None:
        self._parts = parts

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing: the parts are first asked when somebody wants to know."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metrics, one family at a time."""
        up = GaugeMetricFamily("dredge_up", "1 when a part answers", labels=["part"])
        for part, ask in self._parts.items():
            try:
                answer = ask()
            except DredgeError as error:
                log.warning("%s: %s", part, error)
                up.add_metric([part], 0)
                continue
            up.add_metric([part], 1)
            for name, value in answer.items():
                yield _family(name, value)
        yield up


HELP = {
    "queue_depth": "Jobs that wait",
    "queue_oldest_seconds": "Age of the job that has waited longest",
    "jobs": "Jobs by state",
    "workers": "Workers heard of lately",
    "signals": "Signals in the store",
    "models": "Models in the store",
    "model_versions": "Versions of models in the store",
    "store_bytes": "Size of the store",
}


def _family(name: str, value: Any) -> GaugeMetricFamily:
    if isinstance(value, Mapping):
        family = GaugeMetricFamily(f"dredge_{name}", HELP[name], labels=["state"])
        for state, count in value.items():
            family.add_metric([state], count)
        return family
    return GaugeMetricFamily(f"dredge_{name}", HELP[name], value=value)


class FitCollector(Collector):
    """Fit seconds, waves and error, of the fits that end after the first scrape.

    `ask` gives the fits that are done: job id, seconds, waves, and mean square error over the signal's power.
    """

    def __init__(self, ask: Callable[[], Iterable[tuple[str, float, int, float]]]) -> None:
        self._ask = ask
        self._counted: set[str] | None = None
        self._lock = threading.Lock()

    def describe(self) -> Iterator[Any]:
        """Nothing before the first scrape."""
        return iter(())

    def collect(self) -> Iterator[Any]:
        """The three histograms."""
        with self._lock:
            try:
                done = list(self._ask())
            except DredgeError as error:
                log.warning("fits: %s", error)
            else:
                for id, seconds, waves, ratio in done:
                    if self._counted is not None and id not in self._counted:
                        metrics.observe_fit(seconds, waves, ratio)
                self._counted = {id for id, *_ in done}
        for histogram in (metrics.FIT_SECONDS, metrics.FIT_WAVES, metrics.FIT_ERROR_RATIO):
            yield from histogram.collect()


def serve(host: str, port: int, collectors: Iterable[Collector], stop: threading.Event) -> None:
    """Answer /metrics and /health on a port until `stop` is set."""
    with answering(host, port, collectors):
        stop.wait()


@contextmanager
def answering(
    host: str,
    port: int,
    collectors: Iterable[Collector],
    *,
    live: Health = lambda: None,
    ready: Health = lambda: None,
    guard: AbstractContextManager[Any] | None = None,
    with_metrics: bool = True,
) -> Iterator[None]:
    """Answer /metrics and /health on a port meanwhile. Raises Conflict when the port is taken.

    `live` and `ready` give a sentence when something is wrong. A process that forks gives a lock as `guard` and holds it
    while it does: metrics have locks of their own, and one that a scrape holds in the moment of a fork is never released
    in the child, which then stops for ever at the first thing it counts.
    """
    registry = CollectorRegistry()
    for collector in (*collectors, *metrics.everywhere(), _Build()):
        registry.register(collector)
    held = guard or nullcontext()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics" and with_metrics:
                with held:
                    body, content_type = metrics.render(self.headers.get("Accept", ""), registry)
                self._answer(200, body, content_type)
            elif path in ("/", "/health", "/health/ready"):
                self._health(ready())
            elif path == "/health/live":
                self._health(live())
            else:
                self._answer(404, b'{"title": "Not Found", "status": 404}', "application/problem+json")

        def _health(self, trouble: str | None) -> None:
            body = {"status": "ok", "metrics": "/metrics"} if trouble is None else {"status": "unavailable", "error": trouble}
            self._answer(200 if trouble is None else 503, json.dumps(body).encode(), "application/json")

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise Conflict(f"Nothing can listen on port {port} of {host}: {error.strerror}.",
                       hint="Stop what listens there, or choose another port.") from None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


class _Build(Collector):
    def collect(self) -> Iterator[Any]:
        yield from metrics.BUILD_INFO.collect()
