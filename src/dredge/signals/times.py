"""Moments, as ISO 8601 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from dredge.errors import InvalidInput


def utc(text: str | None) -> str | None:
    """An ISO 8601 time as UTC; one without a zone is taken as UTC. Raises InvalidInput(field="start_time")."""
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(str(text))
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(f"The start time {str(text)[:40]!r} is not an ISO 8601 time.", field="start_time",
                           hint="Write it as 2009-08-24T00:20:03Z.") from None
    return when.isoformat().replace("+00:00", "Z")
