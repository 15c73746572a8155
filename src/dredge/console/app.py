"""The console as a Dash application on the DREDGE server's Flask, at /console."""

from __future__ import annotations

from dash import Dash
from flask import Flask

from dredge._version import __version__
from dredge.console.callbacks import register
from dredge.console.layout import page
from dredge.service import Service

PATH = "/console/"


def mount(server: Flask, service: Service) -> None:
    """Serve the console under /console of `server`. All scripts and styles come from this server."""
    app = Dash("dredge.console", server=server,  # type: ignore[arg-type]
               url_base_pathname=PATH, title="DREDGE", update_title="",
               suppress_callback_exceptions=False, add_log_handler=False)
    app.layout = lambda: page(service, __version__)
    register(app, service)
