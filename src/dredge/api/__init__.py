"""The DREDGE server: everything over HTTP, on port 3001."""

from dredge.api.app import create_app
from dredge.api.process import run

__all__ = ["create_app", "run"]
