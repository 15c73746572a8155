"""The gate: who may come in, what a request leaves in log and metrics, which headers every answer carries."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from flask import Flask, Response, current_app, g, request
from opentelemetry import context, propagate, trace
from opentelemetry.trace import SpanKind, StatusCode

from dredge.access import EVERYONE, Access, Scope
from dredge.api.current import caller, settings
from dredge.errors import TooLarge
from dredge.telemetry import metrics

View = TypeVar("View", bound=Callable[..., Any])

audit = structlog.get_logger("dredge.audit")
tracer = trace.get_tracer("dredge.api")

DOOR = "http"
# Anyone may ask how the server is: probes and Prometheus carry no keys, and reach it under any address.
OPEN = {
    "/",
    "/health",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/v2/health/live",
    "/v2/health/ready",
    "/openapi.json",
}
MOST_JSON = 64 * 2**20  # bytes of a JSON body: some three million samples
READING = {"GET", "HEAD", "OPTIONS"}
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

STRICT = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
PAGES = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
# Dash starts itself with a script in the page, and Plotly draws into style attributes and blobs.
CONSOLE = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; font-src 'self' data:; worker-src 'self' blob:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


def needs(scope: Scope) -> Callable[[View], View]:
    """Say which scope a route needs, where it is not read for GET and write for the rest."""

    def mark(view: View) -> View:
        view.scope = scope  # type: ignore[attr-defined]
        return view

    return mark


def takes_uploads(view: View) -> View:
    """Let a route take bodies up to MAX_UPLOAD_MB; the others end where JSON does."""
    view.uploads = True  # type: ignore[attr-defined]
    return view


def require_write() -> None:
    """Ask for the scope `write` within a route that mostly reads, and leave an audit line."""
    caller().require("write")
    g.writes = True


def add_gate(app: Flask, access: Access) -> None:
    """Check every request of this application, and account for it."""

    @app.before_request
    def let_in() -> None:
        _begin()
        view = current_app.view_functions.get(request.endpoint or "")
        scope = _scope(view)
        if not _is_open(request.path):
            access.check_host(request.headers.get("Host"))
            access.check_origin(request.headers.get("Origin"), request.headers.get("Host"))
            g.caller = access.identify(_authorization())
            g.caller.require(scope)
        g.writes = view is not None and scope != "read" and request.method not in READING
        _bound_body(view)

    @app.after_request
    def let_out(response: Response) -> Response:
        _protect(response)
        _account(response)
        return response

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        if (token := g.pop("token", None)) is not None:
            context.detach(token)


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    g.started = time.perf_counter()
    g.caller = EVERYONE
    g.writes = False
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    g.span = tracer.start_span(
        f"{request.method} {route()}",
        propagate.extract(dict(request.headers)),
        SpanKind.SERVER,
        {"http.request.method": request.method, "http.route": route(), "url.path": request.path},
    )
    g.token = context.attach(trace.set_span_in_context(g.span))


def _bound_body(view: Any) -> None:
    uploads = settings().max_upload_mb * 2**20
    limit = uploads if getattr(view, "uploads", False) else min(MOST_JSON, uploads)
    request.max_content_length = limit
    if (length := request.content_length or 0) > limit:
        raise TooLarge(f"The body of {length:,} bytes is over the limit of {limit:,}.", field="body")


def _scope(view: Any) -> Scope:
    default: Scope = "read" if request.method in READING else "write"
    scope: Scope = getattr(view, "scope", default)
    return scope


def _is_open(path: str) -> bool:
    return path in OPEN or path == "/docs" or path.startswith("/docs/")


def _authorization() -> str | None:
    """The Authorization header; from a browser at the console the key is the password of HTTP Basic."""
    header = request.headers.get("Authorization")
    if header is None or not request.path.startswith("/console") or not header.lower().startswith("basic "):
        return header
    try:
        _, _, password = base64.b64decode(header[6:].strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return f"Bearer {password}"


def _protect(response: Response) -> None:
    path = request.path
    policy = CONSOLE if path.startswith("/console") else PAGES if path.startswith("/docs") else STRICT
    for name, value in (
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Frame-Options", "DENY"),
        ("Content-Security-Policy", policy),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("X-Request-Id", str(getattr(g, "request_id", ""))),
    ):
        response.headers.setdefault(name, value)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-cache"


def _account(response: Response) -> None:
    status = response.status_code
    metrics.observe_request(DOOR, route(), _method(), status, time.perf_counter() - g.started)
    g.span.set_attribute("http.response.status_code", status)
    if status >= 500:
        g.span.set_status(StatusCode.ERROR)
    g.span.end()
    if g.writes:
        audit.info(
            "write",
            door=DOOR,
            action=f"{request.method} {route()}",
            path=request.path,
            caller=caller().name,
            outcome="ok" if status < 400 else "error",
            status=status,
            made=response.headers.get("Location"),
        )


def route() -> str:
    """The route that answers, never the address: addresses are endless."""
    return str(request.url_rule.rule) if request.url_rule is not None else "other"


def _method() -> str:
    return request.method if request.method in READING | {"POST", "PUT", "DELETE", "PATCH"} else "other"
