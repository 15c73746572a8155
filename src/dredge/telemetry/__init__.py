"""Metrics, logs and traces."""

from dredge.telemetry import exporter, logs, metrics, tracing

__all__ = ["exporter", "logs", "metrics", "tracing"]
