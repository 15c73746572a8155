"""What a tool answers: a short text, then numbers in a fixed shape, then links to the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mcp.types import CallToolResult, ContentBlock, ResourceLink, TextContent
from pydantic import BaseModel

MOST_VALUES = 256  # numbers or rows in one answer: clients cut an answer near 25,000 tokens
MOST_LINES = 12  # rows that the text repeats


def answer(text: str, structured: BaseModel, *more: ContentBlock) -> CallToolResult:
    """A tool's result: text for reading, `structured` for computing, `more` for links and pictures."""
    return CallToolResult(
        content=[TextContent(type="text", text=text), *more],
        structured_content=structured.model_dump(mode="json"),
    )


def link(uri: str, description: str, mime_type: str) -> ResourceLink:
    """A link to a resource of this server."""
    return ResourceLink(
        type="resource_link",
        uri=uri,
        name=uri.removeprefix("dredge://"),
        description=description,
        mime_type=mime_type,
    )


def lines(first: str, rows: Sequence[str]) -> str:
    """A sentence and one line a row, cut where it gets long."""
    shown = list(rows[:MOST_LINES])
    if len(rows) > len(shown):
        shown.append(f"… and {len(rows) - len(shown)} more")
    return "\n".join([first, *shown])


def number(value: float | None, unit: str = "") -> str:
    """A number with four digits and its unit, for text."""
    if value is None:
        return "unknown"
    return f"{value:.4g} {unit}".rstrip() if unit != "1" else f"{value:.4g}"


def finite(value: Any) -> float | None:
    """A float, or None for what JSON cannot say."""
    if value is None:
        return None
    value = float(value)
    return value if math.isfinite(value) else None
