"""The errors of DREDGE as this port tells them: the one place where they become statuses and sentences."""

from __future__ import annotations

import secrets

import structlog
from pydantic import ValidationError

from dredge import errors

log = structlog.get_logger("dredge.mcp")

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


def status_of(error: Exception) -> int:
    """The HTTP status that says the same as the error."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def sentence(error: Exception, doing: str) -> str:
    """What a person or an agent is told: message and hint of an expected error, else a number in the log."""
    if isinstance(error, errors.DredgeError):
        return encodable(str(error))
    number = secrets.token_hex(4)
    log.error("internal error", id=number, doing=doing, exc_info=error)
    return f"Something went wrong inside DREDGE; its log says more under internal error {number}."


def headers_of(error: Exception) -> dict[str, str]:
    """Headers that belong to the answer: how to authenticate, when to come back."""
    if isinstance(error, errors.NotAuthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, errors.Busy):
        return {"Retry-After": str(max(1, round(error.retry_after)))}
    return {}


def explain_arguments(error: ValidationError) -> str:
    """Arguments that do not fit the schema, named one by one."""
    found = []
    for item in error.errors(include_url=False)[:3]:
        name = ".".join(str(part) for part in item["loc"]) or "arguments"
        if item["type"] == "missing":
            found.append(f"{name} is missing.")
        else:
            found.append(f"{name}: {item['msg'][:1].lower()}{item['msg'][1:]}; it was {item['input']!r:.80}.")
    return encodable(" ".join(found))


def encodable(text: str) -> str:
    """The text without half surrogate pairs: JSON can bring them in, and no encoding can carry them out."""
    return text.encode("utf-8", "replace").decode()
