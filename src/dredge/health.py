"""Ask a process on this machine how it is: the health check of a container.

    python -m dredge.health [serve|mcp|worker|metrics|certificate]

Without an argument it asks the part that the container runs. It imports next to nothing, because it runs every few seconds.
"""

from __future__ import annotations

import http.client
import os
import sys
from pathlib import Path

PORTS = {"serve": ("DREDGE_PORT", 3001), "mcp": ("MCP_PORT", 3002), "worker": ("WORKER_PORT", 9100),
         "metrics": ("METRICS_PORT", 9090), "certificate": ("METRICS_PORT", 9090)}
PATIENCE = 3.0  # seconds


def main(arguments: list[str]) -> int:
    """Print what the part says of itself; 0 when it is ready."""
    part = arguments[0] if arguments else _own_part()
    if part not in PORTS:
        print(f"error: there is no part {part!r}; choose {', '.join(PORTS)}", file=sys.stderr)
        return 2
    setting, default = PORTS[part]
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get(setting) or default), timeout=PATIENCE)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        print(answer.read(2000).decode(errors="replace"))
        return 0 if answer.status == http.client.OK else 1
    except (OSError, http.client.HTTPException) as error:
        print(f"{part} does not answer: {error}", file=sys.stderr)
        return 1
    finally:
        connection.close()


def _own_part() -> str:
    """The command of the container's first process: tini -- dredge PART."""
    try:
        words = Path("/proc/1/cmdline").read_bytes().decode().split("\0")
    except OSError:
        return "serve"
    return next((word for word in words if word in PORTS), "serve")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
