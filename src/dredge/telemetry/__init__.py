"""Metrics, logs and traces."""

from dredge.telemetry import logs, metrics, tracing

__all__ = ["logs", "metrics", "tracing"]
