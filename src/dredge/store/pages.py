"""Cutting a sorted list of names into pages.

A cursor holds the last name that was read, so pages neither repeat nor skip a name while others come and go.
Callers must not look inside.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from dredge.errors import InvalidInput
from dredge.store.records import Page

T = TypeVar("T")
LONGEST_PAGE = 500
AT_ONCE = 16


def cut(
    names: Sequence[str],
    read: Callable[[str], T | None],
    *,
    what: str,
    cursor: str | None,
    limit: Any,
    far: bool = False,
) -> Page[T]:
    """The page after `cursor` of what `read` makes of sorted `names`; names that give None are left out.

    Reads only the names of the page, many at once where each read is `far`. Raises InvalidInput with
    field="cursor" or "limit".
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= LONGEST_PAGE:
        raise InvalidInput(f"{limit!r} items a page cannot be given; ask for 1 to {LONGEST_PAGE}.", field="limit")
    position = 0 if cursor is None else bisect_right(names, decode(cursor, what))
    items: list[T] = []
    while position < len(names) and len(items) < limit:
        part = names[position : position + limit - len(items)]
        items += [item for item in _read_all(part, read, far) if item is not None]
        position += len(part)
    following = encode(names[position - 1], what) if position < len(names) else None
    return Page(items=items, next_cursor=following)


def encode(name: str, what: str) -> str:
    """A cursor that stands after `name`."""
    return base64.urlsafe_b64encode(f"{what}:{name}".encode()).decode().rstrip("=")


def decode(cursor: Any, what: str) -> str:
    """The name that a cursor stands after."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        kind, separator, name = text.partition(":")
        if kind == what and separator and encode(name, what) == cursor:
            return name
    except (TypeError, ValueError, AttributeError, binascii.Error):
        pass
    raise InvalidInput(
        "This cursor did not come from the list before.",
        field="cursor",
        hint="Use the next_cursor of the previous page unchanged, or none for the first page.",
    )


def _read_all(names: Sequence[str], read: Callable[[str], T | None], far: bool) -> list[T | None]:
    if not far or len(names) < 2:
        return [read(name) for name in names]
    with ThreadPoolExecutor(min(AT_ONCE, len(names))) as pool:
        return list(pool.map(read, names))
