"""The tools of the server, one file for each thing that they are about."""

from __future__ import annotations

from typing import Any

from mcp.server import MCPServer

from dredge.mcp.tools import fitting, jobs, models, signals
from dredge.service import Service

__all__ = ["add_tools"]


def add_tools(server: MCPServer[Any], service: Service) -> None:
    """Add every tool to the server."""
    for room in (signals, fitting, jobs, models):
        room.add_tools(server, service)
