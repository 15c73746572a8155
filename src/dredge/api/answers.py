"""How handlers answer: shapes as JSON, pages with their links, files, and what a client already has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from pydantic import BaseModel

from dredge.store import Page

JSON = "application/json"


def answer(shape: BaseModel, status: int = 200, *, location: str | None = None) -> Response:
    """A shape as JSON."""
    response = Response(shape.model_dump_json(), status, content_type=JSON)
    if location is not None:
        response.headers["Location"] = location
    return response


def page_answer(shape: type[BaseModel], page: Page[Any], items: Sequence[Any]) -> Response:
    """A page of a list, with the cursor of the next one in the body and as a Link header."""
    response = answer(shape.model_construct(items=list(items), next=page.next_cursor))
    if page.next_cursor is not None:
        parameters = {**request.args.to_dict(), "cursor": page.next_cursor}
        response.headers["Link"] = f'<{request.path}?{urlencode(parameters)}>; rel="next"'
    return response


def file_answer(data: bytes, media_type: str, *, name: str | None = None) -> Response:
    """A file; with a name it is saved rather than shown."""
    response = Response(data, content_type=media_type)
    if name is not None:
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def unchanged(tag: str) -> Response | None:
    """304 when the client already has the thing with this ETag; asked before any work is done."""
    if request.if_none_match.contains(tag):
        return tagged(Response(status=304), tag)
    return None


def tagged(response: Response, tag: str) -> Response:
    """Give an answer its ETag. It may be kept, and asked about again."""
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Accept, Authorization"
    return response


def preferred(offered: Sequence[str], default: str) -> str:
    """The media type that Accept likes best; the default when it names none of those offered."""
    accepted = request.accept_mimetypes
    if not accepted or accepted.best == "*/*":
        return default
    best = accepted.best_match(list(offered), default)
    return default if accepted[default] >= accepted[best] else best
