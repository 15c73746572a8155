"""Optional packages, imported when a file needs them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from dredge.errors import MissingExtra


def need(module: str, extra: str) -> Any:
    """The module. Raises MissingExtra with the command that installs it."""
    try:
        return import_module(module)
    except (ImportError, OSError):  # OSError: the package is there, its C library is not
        raise MissingExtra(f"This format needs the package {module.partition('.')[0]!r}, which is not installed.",
                           hint=f"pip install 'dredge-cli[{extra}]'") from None
