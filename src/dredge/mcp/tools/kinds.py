"""What a tool promises about itself; a client may ask a person before it calls one that deletes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

READS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
KEEPS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
ADDS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
)
ENDS = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
)


def add_tool(
    server: MCPServer[Any], work: Callable[..., Any], title: str, annotations: ToolAnnotations
) -> None:
    """Add a tool under the name of its function, described by its docstring on one line."""
    description = " ".join((inspect.getdoc(work) or "").split())
    server.add_tool(work, title=title, description=description, annotations=annotations)
