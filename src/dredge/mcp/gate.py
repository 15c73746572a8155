"""The gate in front of everything on this port: Host, Origin and the caller's key, before a body is read."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from dredge.access import Access
from dredge.errors import DredgeError, NotAllowed
from dredge.mcp.caller import set_caller
from dredge.mcp.errors import headers_of, sentence, status_of

# Anyone may ask how the server is: probes carry no keys, and reach it under addresses it cannot know.
OPEN = {"/", "/health", "/health/live", "/health/ready", "/metrics", "/v2/health/live", "/v2/health/ready"}
MISDIRECTED = 421


class Gate:
    """ASGI middleware that lets in whoever may come in, and remembers who it is."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse with 401, 403 or 421, or pass on."""
        if scope["type"] == "http" and scope["path"] not in OPEN:
            headers = Headers(scope=scope)
            try:
                self.access.check_host(headers.get("host"))
                self.access.check_origin(headers.get("origin"), headers.get("host"))
                set_caller(self.access.identify(headers.get("authorization")))
            except DredgeError as error:
                status = (
                    MISDIRECTED
                    if isinstance(error, NotAllowed) and error.field == "Host"
                    else status_of(error)
                )
                await JSONResponse(
                    {"success": False, "error": sentence(error, "letting in")}, status, headers_of(error)
                )(scope, receive, send)
                return
        await self.app(scope, receive, send)
