"""What DREDGE counts, for Prometheus. Buckets are chosen for each quantity."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from dredge._version import __version__
from dredge.telemetry.container import ContainerCollector
from dredge.telemetry.gpu import GpuCollector

REGISTRY = CollectorRegistry()

# A health check takes a millisecond, a lift up to ten seconds.
REQUEST_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
FIT_BUCKETS = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600)
WAVE_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
# What a fit leaves of the signal's power: 1 is nothing explained, 1e-2 is 20 dB.
RATIO_BUCKETS = (1e-12, 1e-10, 1e-8, 1e-6, 1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1)

REQUESTS = Counter("dredge_requests", "Requests answered", ["door", "route", "method", "status"], registry=REGISTRY)
REQUEST_SECONDS = Histogram("dredge_request_seconds", "Seconds that a request took", ["door", "route"],
                            buckets=REQUEST_BUCKETS, registry=REGISTRY)
FIT_SECONDS = Histogram("dredge_fit_seconds", "Seconds that a fit took", buckets=FIT_BUCKETS, registry=REGISTRY)
FIT_WAVES = Histogram("dredge_fit_waves", "Waves that a fit ended with", buckets=WAVE_BUCKETS, registry=REGISTRY)
FIT_ERROR_RATIO = Histogram("dredge_fit_error_ratio", "Mean square error of a fit over the signal's power",
                            buckets=RATIO_BUCKETS, registry=REGISTRY)
POINTS_EVALUATED = Counter("dredge_points_evaluated", "Points at which models were evaluated", registry=REGISTRY)
CACHE_HITS = Counter("dredge_cache_hits", "Answers found in a cache", ["cache"], registry=REGISTRY)
CACHE_MISSES = Counter("dredge_cache_misses", "Answers not found in a cache", ["cache"], registry=REGISTRY)
MODEL_LOADS = Counter("dredge_model_loads", "Models read from the store", registry=REGISTRY)
MODELS_READY = Gauge("dredge_models_ready", "Models held ready", registry=REGISTRY)
MCP_CALLS = Counter("dredge_mcp_calls", "Calls of MCP tools", ["tool", "outcome"], registry=REGISTRY)
BUILD_INFO = Gauge("dredge_build_info", "1, with the version as a label", ["version"], registry=REGISTRY)
BUILD_INFO.labels(__version__).set(1)


def everywhere() -> list[Collector]:
    """What every process tells, whatever its part."""
    return [ContainerCollector(), GpuCollector()]


for _collector in everywhere():
    REGISTRY.register(_collector)


def observe_request(door: str, route: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request; `route` is the template, never the path, so that labels stay few."""
    REQUESTS.labels(door, route, method, str(status)).inc()
    REQUEST_SECONDS.labels(door, route).observe(seconds)


def observe_fit(seconds: float, waves: int, error_ratio: float) -> None:
    """Count one fit; `error_ratio` is its mean square error over the signal's power."""
    FIT_SECONDS.observe(seconds)
    FIT_WAVES.observe(waves)
    FIT_ERROR_RATIO.observe(error_ratio)


def observe_models(event: str, ready: int) -> None:
    """Count what happened to the models that are held ready: hit, miss, load or drop."""
    if event == "hit":
        CACHE_HITS.labels("models").inc()
    elif event == "miss":
        CACHE_MISSES.labels("models").inc()
    elif event == "load":
        MODEL_LOADS.inc()
    MODELS_READY.set(ready)


def render(accept: str = "", registry: CollectorRegistry = REGISTRY) -> tuple[bytes, str]:
    """The metrics as text in the format that `accept` asks for, and its content type."""
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type
