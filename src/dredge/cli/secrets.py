"""The secrets of a deployment: made once, kept in files, never shown unless asked for."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from dredge.errors import DredgeError

READABLE = 0o444  # each lies in a folder that only its own service can see


def make_secrets(folder: Path, *, grafana_password: str = "", say: Callable[[str], None] = lambda _: None) -> None:
    """Write what is missing below `folder`; what is there stays.

        api/keys            an entry of DREDGE_API_KEYS with all scopes
        redis/password      of Redis
        redis/url           the same as REDIS_URL
        redis/exporter      the same as the exporter for Prometheus reads it
        grafana/password    `grafana_password` when given, which also replaces an older one

    Raises DredgeError when a file cannot be written.
    """
    _once(folder / "api/keys", lambda: f"operator:read+write+admin:{secrets.token_urlsafe(32)}\n", say)
    _once(folder / "redis/password", lambda: secrets.token_urlsafe(32), say)
    password = (folder / "redis/password").read_text().strip()
    _once(folder / "redis/url", lambda: f"redis://:{password}@redis:6379/0", say)
    _once(folder / "redis/exporter", lambda: json.dumps({"redis://redis:6379": password}), say)
    if grafana_password:
        write(folder / "grafana/password", grafana_password)
    _once(folder / "grafana/password", lambda: secrets.token_urlsafe(24), say)


def _once(path: Path, make: Callable[[], str], say: Callable[[str], None]) -> None:
    try:
        missing = not path.exists() or path.stat().st_size == 0
    except OSError as error:
        raise DredgeError(f"{path} cannot be looked at: {error.strerror}.") from None
    if missing:
        write(path, make())
        say(f"made {path}")


def write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all, for all that see its folder. Raises DredgeError."""
    data = content.encode() if isinstance(content, str) else content
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, READABLE), "wb") as file:
            file.write(data)
        part.replace(path)
    except OSError as error:
        raise DredgeError(f"{path} cannot be written: {error.strerror}.",
                          hint="Does its folder belong to the user that this runs as?") from None
