"""Errors as problem documents (RFC 9457): the one place where an exception becomes a status and a body.

    InvalidInput 422 (400 under /v2, whose protocol knows no other)    NotAuthenticated 401    NotAllowed 403
    NotFound 404      Conflict, Stopped 409      TooLarge 413      Busy 429      MissingExtra 501
    Unavailable 503      TimeLimitReached 504      anything unexpected 500

MissingExtra is 501: the request is right, and this server lacks a part that another may have.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, cast

import orjson
import structlog
from flask import Flask, Response, g, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import HTTPException

from dredge import errors

log = structlog.get_logger("dredge.api")

MEDIA_TYPE = "application/problem+json"
UNION_TAGS = {"flat", "rows", "str", "int"}  # pydantic names the branch of a union that it tried
COME_BACK = 5  # seconds after which a part that does not answer may be asked again

# The first class that fits decides, so leaves stand before their parents.
STATUS: tuple[tuple[type[errors.DredgeError], int], ...] = (
    (errors.NotAuthenticated, 401),
    (errors.NotAllowed, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.TooLarge, 413),
    (errors.InvalidInput, 422),
    (errors.Busy, 429),
    (errors.MissingExtra, 501),
    (errors.Unavailable, 503),
    (errors.TimeLimitReached, 504),
    (errors.Stopped, 409),
)


class Problem(BaseModel):
    """What went wrong, for a person (`detail`, `hint`) and for a program (`type`, `field`)."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:dredge:problem:invalid-input",
                "title": "Unprocessable Entity",
                "status": 422,
                "detail": "Sample 3 of channel 'signal' is nan (1 of 8 are not finite).",
                "instance": "/lift",
                "request_id": "8f14e45fceea167a",
                "field": "samples",
                "hint": "Fill or cut the gap, or import with gaps='interpolate'.",
            }
        }
    )

    type: str = Field(description="A name of the kind of problem that does not change")
    title: str
    status: int
    detail: str = Field(description="A sentence for a person")
    instance: str = Field(description="The path that was asked for")
    request_id: str = Field(description="The same as in the header X-Request-Id and in the log")
    field: str | None = Field(None, description="The part of the request that is at fault")
    hint: str | None = Field(None, description="What to do about it")
    error: str | None = Field(None, description="Under /v2: the detail again, where that protocol wants it")


def add_problems(app: Flask) -> None:
    """Answer every exception of this application with a problem document."""
    app.register_error_handler(errors.DredgeError, _of_dredge)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _unexpected)


def explain(error: ValidationError) -> errors.InvalidInput:
    """Arguments that do not fit, named one by one; `field` is the first."""
    sentences, fields = [], []
    for item in error.errors(include_url=False, include_context=False)[:3]:
        path, told = _path(item["loc"]), f"{item['msg'][:1].lower()}{item['msg'][1:]}"
        fields.append(path.partition("[")[0] or "body")
        if item["type"] == "missing":
            sentences.append(f"{path} is missing.")
        elif item["type"] == "extra_forbidden":
            sentences.append(f"There is no parameter {path[:80]!r}.")
        else:
            sentences.append(f"{path or 'The body'}: {told}; it was {_shown(item['input'])}.")
    return errors.InvalidInput(" ".join(sentences), field=fields[0])


@contextmanager
def renamed(**names: str) -> Iterator[None]:
    """Name the part at fault as this route's caller calls it: `renamed(name="save_as")`."""
    try:
        yield
    except errors.DredgeError as error:
        if error.field is not None:
            error.field = names.get(error.field, error.field)
        raise


def _of_dredge(error: errors.DredgeError) -> Response:
    headers = {}
    if isinstance(error, errors.NotAuthenticated):
        # A browser that opens the console can only be asked for a password; the key goes in there.
        in_browser = request.path.startswith("/console")
        headers["WWW-Authenticate"] = 'Basic realm="DREDGE"' if in_browser else "Bearer"
    elif isinstance(error, errors.Busy):
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    elif isinstance(error, errors.Unavailable):
        headers["Retry-After"] = str(COME_BACK)
        log.warning("part unavailable", path=request.path, error=str(error))
    return _answer(
        _status_of(error), error.code, error.message, field=error.field, hint=error.hint, headers=headers
    )


def _of_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:  # a redirect
        return cast(Response, error.get_response(request.environ))
    headers = {name: value for name, value in error.get_headers(request.environ) if name != "Content-Type"}
    code = HTTPStatus(status).phrase.lower().replace(" ", "-")
    return _answer(status, code, _sentence_for(status, error), headers=headers)


def _unexpected(error: Exception) -> Response:
    log.error("internal error", path=request.path, method=request.method, exc_info=error)
    return _answer(
        500,
        "internal",
        "Something went wrong inside DREDGE.",
        hint=f"The server's log says more under the request id {request_id()}.",
    )


def _sentence_for(status: int, error: HTTPException) -> str:
    if status == 404:
        return f"There is nothing at {request.path[:200]}."
    if status == 405:
        return f"{request.method} cannot be used on {request.path[:200]}."
    if status == 413:
        return "The request is larger than this server accepts here."
    return error.description or HTTPStatus(status).phrase


def _answer(
    status: int,
    code: str,
    detail: str,
    *,
    field: str | None = None,
    hint: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    body = orjson.dumps(_document(status, code, detail, field, hint))
    return Response(body, status, {**(headers or {}), "Cache-Control": "no-store"}, content_type=MEDIA_TYPE)


def _document(status: int, code: str, detail: str, field: str | None, hint: str | None) -> dict[str, Any]:
    inference = request.path.startswith("/v2")
    # What was sent may hold half of a surrogate pair, which no encoding of an answer can carry.
    problem = Problem(
        type=f"urn:dredge:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=_encodable(detail),
        instance=_encodable(request.path),
        request_id=request_id(),
        field=_encodable(field),
        hint=_encodable(hint),
        error=_encodable(f"{detail} {hint}" if hint else detail) if inference else None,
    )
    return problem.model_dump(exclude_none=True)


def request_id() -> str:
    """The number under which this request stands in the log."""
    return str(getattr(g, "request_id", ""))


def _status_of(error: errors.DredgeError) -> int:
    status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
    return 400 if status == 422 and request.path.startswith("/v2") else status


def _path(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        if part in UNION_TAGS:
            continue
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:56]}…"


def _encodable(text: Any) -> Any:
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else text
