"""Who is behind the request that is being answered."""

from __future__ import annotations

from contextvars import ContextVar

from dredge.access import Caller
from dredge.errors import NotAuthenticated

# Set by the gate for HTTP and by the process for stdio. Without a value nobody has been let in.
_CALLER: ContextVar[Caller | None] = ContextVar("dredge_mcp_caller", default=None)


def set_caller(caller: Caller) -> None:
    """Name the caller of everything that runs from here on in this context."""
    _CALLER.set(caller)


def current_caller() -> Caller:
    """The caller of this request. Raises NotAuthenticated when none was let in."""
    caller = _CALLER.get()
    if caller is None:
        raise NotAuthenticated("This request passed no gate.", field="Authorization")
    return caller
