"""What a request handler reaches: the service, the settings and the caller of this request."""

from __future__ import annotations

from typing import cast

from flask import current_app, g

from dredge.access import Caller
from dredge.service import Service
from dredge.settings import Settings

_SERVICE = "dredge.service"
_SETTINGS = "dredge.settings"


def remember(app: object, service: Service, settings: Settings) -> None:
    """Give an application its service and settings."""
    extensions = app.extensions  # type: ignore[attr-defined]
    extensions[_SERVICE] = service
    extensions[_SETTINGS] = settings


def service() -> Service:
    """The service of this application."""
    return cast(Service, current_app.extensions[_SERVICE])


def settings() -> Settings:
    """The settings of this application."""
    return cast(Settings, current_app.extensions[_SETTINGS])


def caller() -> Caller:
    """Who sent this request."""
    return cast(Caller, g.caller)
