"""Request bodies: read within a bound, and told apart."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
import orjson
import structlog
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dredge.errors import InvalidInput, TooLarge
from dredge.mcp.caller import current_caller
from dredge.mcp.errors import headers_of, sentence, status_of
from dredge.mcp.original import Original

audit = structlog.get_logger("dredge.audit")


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Raises TooLarge before more than `limit` bytes are in memory."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > 18:
        raise InvalidInput("Content-Length is not a number.", field="Content-Length")
    if int(declared) > limit:
        raise TooLarge(f"The body is over the limit of {limit:,} bytes.", field="body")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise TooLarge(f"The body is over the limit of {limit:,} bytes.", field="body")
        parts.append(part)
    return b"".join(parts)


class OriginalBody:
    """ASGI middleware that answers `{"operation", "params"}` on `POST /mcp` and passes everything else on."""

    def __init__(self, app: ASGIApp, original: Original, path: str, limit: int) -> None:
        self.app = app
        self.original = original
        self.path = path
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look into the body only where the original's can be: newer clients say their method in a header."""
        if (
            scope["type"] != "http"
            or scope["method"] != "POST"
            or scope["path"] != self.path
            or "mcp-method" in Headers(scope=scope)
        ):
            await self.app(scope, receive, send)
            return
        try:
            body = await read_body(Request(scope, receive), self.limit)
        except (InvalidInput, TooLarge) as error:
            told = {"success": False, "error": sentence(error, "reading a body")}
            await json_response(told, status_of(error), headers_of(error))(scope, receive, send)
            return
        asked = _original(body)
        if asked is None:
            await self.app(scope, _replay(body, receive), send)
            return
        caller = current_caller()
        status, told = await anyio.to_thread.run_sync(self.original.answer, asked, caller)
        operation = str(asked["operation"])[:80]
        if operation in self.original.operations and self.original.scope(operation) == "write":
            audit.info(
                "write",
                door="mcp",
                action=f"original {operation}",
                caller=caller.name,
                outcome="ok" if status == 200 else "error",
                model=told.get("model_id"),
            )
        await json_response(told, status)(scope, receive, send)


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(
        orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY), status, headers, "application/json"
    )


def _original(body: bytes) -> dict[str, Any] | None:
    if b'"operation"' not in body:
        return None
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) and "operation" in value and "jsonrpc" not in value else None


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives the body once more, then whatever follows it (a disconnect)."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
