"""The server as a process, over HTTP or over stdin and stdout."""

from __future__ import annotations

import logging

import anyio
import uvicorn

from dredge.access import EVERYONE, refuse_open_door
from dredge.mcp.app import create_app
from dredge.mcp.caller import set_caller
from dredge.mcp.server import QuasimotoServer
from dredge.service import Service
from dredge.serving import describe_device
from dredge.settings import Settings
from dredge.telemetry import logs, tracing

SERVICE_NAME = "dredge-mcp"
log = logging.getLogger("dredge.mcp")
LAST_ANSWERS = 10  # seconds that requests get to end when the server is asked to stop


def run(settings: Settings) -> None:
    """Serve on MCP_PORT until SIGTERM or Ctrl-C. Raises InvalidSetting for a door left open."""
    refuse_open_door(settings)
    logs.configure(settings)
    tracing.configure(settings, SERVICE_NAME)
    service = Service(settings)
    log.info(describe_device(service.device))
    uvicorn.run(
        create_app(service, settings),
        host=settings.dredge_host,
        port=settings.mcp_port,
        http="h11",  # httptools lets a header through that the protocol wants refused
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=LAST_ANSWERS,
        proxy_headers=False,
    )


def run_stdio(settings: Settings) -> None:
    """Serve one client over stdin and stdout. Whoever starts the process is the caller, with every scope."""
    logs.configure(settings)
    tracing.configure(settings, SERVICE_NAME)
    server = QuasimotoServer(Service(settings))
    set_caller(EVERYONE)
    anyio.run(server.run_stdio_async)
