"""The Flask application of the DREDGE server."""

from __future__ import annotations

from typing import Any

import orjson
from flask.json.provider import JSONProvider
from pydantic_core import from_json

from dredge.access import Access
from dredge.api.current import remember
from dredge.api.document import Api, add_documentation
from dredge.api.gate import MOST_JSON, add_gate
from dredge.api.problems import add_problems
from dredge.api.routes import AREAS
from dredge.console import mount
from dredge.service import Service
from dredge.settings import Settings


class Json(JSONProvider):
    """JSON by the libraries that the rest of the server uses."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """A value as JSON."""
        return orjson.dumps(obj, option=orjson.OPT_SERIALIZE_NUMPY).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """A value from JSON."""
        return from_json(s)


def create_app(service: Service, settings: Settings) -> Api:
    """The WSGI application: every route, the console, and the gate in front of them."""
    app = Api("dredge.api")
    app.json = Json(app)
    app.config["MAX_CONTENT_LENGTH"] = MOST_JSON
    remember(app, service, settings)
    add_gate(app, Access.from_settings(settings))
    add_problems(app)
    for area in AREAS:
        app.register_api(area)
    add_documentation(app)
    mount(app, service)
    return app
