"""DREDGE turns recordings into waves."""

from dredge._version import __version__

__all__ = ["__version__"]
