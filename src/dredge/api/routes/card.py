"""What the server is and how it is."""

from __future__ import annotations

from flask import Response, request
from werkzeug.exceptions import NotFound

from dredge._version import __version__
from dredge.api.answers import answer
from dredge.api.current import service, settings
from dredge.api.document import answers, area
from dredge.api.shapes import Card, Health
from dredge.telemetry import metrics

card = area("server", "What the server is and how it is", open_to_all=True)

LINKS = {
    "documentation": "/docs",
    "openapi": "/openapi.json",
    "console": "/console/",
    "health": "/health",
    "metrics": "/metrics",
    "lift": "/lift",
    "signals": "/v1/signals",
    "fits": "/v1/fits",
    "jobs": "/v1/jobs",
    "models": "/v1/models",
    "inference": "/v2",
}


@card.get("/", responses=answers({200: Card}, open_to_all=True))
def service_card() -> Response:
    """What this is

    Name, version and where everything is.
    """
    return answer(
        Card(
            name="DREDGE server",
            version=__version__,
            links=LINKS,
            description="Turns recordings into waves: short lists of localised oscillations.",
        )
    )


@card.get("/health", responses=answers({200: Health}, 503, open_to_all=True))
def health() -> Response:
    """How the server is

    Every part that a request needs. 503 names the part that does not answer.
    """
    return answer(Health(status="ok", version=__version__, parts=service().ready()))


@card.get("/health/live", responses=answers({200: Health}, open_to_all=True))
def health_live() -> Response:
    """Whether the process answers

    Looks at nothing else, so that a broken store does not restart the server.
    """
    return answer(Health(status="ok", version=__version__, parts={}))


@card.get("/health/ready", responses=answers({200: Health}, 503, open_to_all=True))
def health_ready() -> Response:
    """Whether requests can be answered

    503 names the part that does not answer.
    """
    return answer(Health(status="ok", version=__version__, parts=service().ready()))


@card.get("/metrics", responses=answers({200: "text/plain"}, 404, open_to_all=True))
def prometheus() -> Response:
    """Metrics for Prometheus

    All names start with `dredge_`.
    """
    if not settings().metrics_enabled:
        raise NotFound
    body, content_type = metrics.render(request.headers.get("Accept", ""))
    return Response(body, content_type=content_type)
