"""Traces with OpenTelemetry, from a request through the queue into the worker."""

from __future__ import annotations

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context

from dredge._version import __version__
from dredge.settings import Settings


def configure(settings: Settings, service_name: str) -> None:
    """Send traces to OTEL_EXPORTER_OTLP_ENDPOINT; without one, spans cost next to nothing and go nowhere."""
    if not settings.otel_exporter_otlp_endpoint:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": service_name, "service.version": __version__})
    provider = TracerProvider(resource=resource)
    endpoint = settings.otel_exporter_otlp_endpoint.rstrip("/") + "/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(provider)


def inject() -> dict[str, str]:
    """The current trace as text, to travel with a job."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


def extract(carrier: dict[str, str]) -> Context:
    """The trace that `inject` wrote."""
    return propagate.extract(carrier, context.Context())
