"""The web console: recordings in, waves out, in a browser."""

from dredge.console.app import mount

__all__ = ["mount"]
