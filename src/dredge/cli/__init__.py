"""The `dredge` command."""

from dredge.cli.root import app, main

__all__ = ["app", "main"]
