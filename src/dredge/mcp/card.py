"""What the server says about itself: capabilities, health, metrics."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
import structlog
from mcp.server import MCPServer
from mcp.types.version import LATEST_HANDSHAKE_VERSION, LATEST_MODERN_VERSION
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dredge._version import __version__
from dredge.errors import Unavailable
from dredge.mcp.bodies import json_response
from dredge.mcp.errors import status_of
from dredge.mcp.original import Original, model_types
from dredge.service import Service
from dredge.telemetry import metrics

log = structlog.get_logger("dredge.mcp")
REVISIONS = [LATEST_MODERN_VERSION, LATEST_HANDSHAKE_VERSION]


def card_routes(server: MCPServer[Any], service: Service, original: Original, path: str) -> list[Route]:
    """The open routes: /, /health, /health/live, /health/ready and, where it is enabled, /metrics."""
    models = model_types()  # draws random numbers, so once

    async def card(_: Request) -> Response:
        return json_response(
            {
                "name": "DREDGE Quasimoto MCP Server",
                "version": __version__,
                "protocol": {
                    "name": "Model Context Protocol",
                    "revisions": REVISIONS,
                    "transport": "streamable-http",
                    "endpoint": path,
                },
                "capabilities": {
                    "models": models,
                    "operations": list(original.operations),
                    "tools": [tool.name for tool in await server.list_tools()],
                    "prompts": [prompt.name for prompt in await server.list_prompts()],
                    "resources": [resource.uri for resource in await server.list_resources()],
                },
                "links": {"health": "/health", "metrics": "/metrics", "inference": "/v2"},
            }
        )

    async def live(_: Request) -> Response:
        return json_response({"status": "ok"})

    async def ready(_: Request) -> Response:
        try:
            parts = await anyio.to_thread.run_sync(service.ready)
        except Unavailable as error:
            log.warning("part unavailable", path="/health/ready", error=str(error))
            return json_response(
                {"status": "unavailable", "version": __version__, "error": str(error)}, status_of(error)
            )
        return json_response({"status": "ok", "version": __version__, "parts": parts})

    async def exposition(request: Request) -> Response:
        body, content_type = await anyio.to_thread.run_sync(metrics.render, request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": content_type})

    routes = [
        Route("/", card),
        Route("/health", ready),
        Route("/health/live", live),
        Route("/health/ready", ready),
    ]
    if service.settings.metrics_enabled:
        routes.append(Route("/metrics", exposition))
    return routes
