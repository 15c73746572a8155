"""The Quasimoto MCP server, on port 3002: DREDGE for agents.

Built on the official SDK, which is the package `mcp`; this one is `dredge.mcp`.
"""

from dredge.mcp.app import create_app
from dredge.mcp.process import run, run_stdio

__all__ = ["create_app", "run", "run_stdio"]
