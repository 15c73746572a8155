"""The OpenAPI document, and the pages at /docs, which load nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Literal, NoReturn

from flask import Blueprint, Response, send_from_directory
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.info import Info
from flask_openapi3.models.tag import Tag
from flask_openapi3.openapi import OpenAPI
from pydantic import BaseModel, ValidationError

from dredge._version import __version__
from dredge.api import shapes
from dredge.api.problems import MEDIA_TYPE, Problem, explain

REFERENCE = "#/components/schemas/{model}"
ALWAYS = (401, 403, 500)
LONGEST_LINE = 8190  # bytes of a request's first line, as far as gunicorn allows
DESCRIPTION = """\
DREDGE turns recordings into **waves**: short lists of localised oscillations, each with a time, a width, a
frequency, a chirp rate and an amplitude.

Usual order: upload a recording to `/v1/signals`, start a fit at `/v1/fits`, follow its job at
`/v1/jobs/{id}/events`, read the waves at `/v1/models/{name}/events` and values anywhere at
`/v1/models/{name}/evaluate`. `/lift` does all of it at once for short signals. Under `/v2` the models
answer the Open Inference Protocol.

Errors are problem documents (RFC 9457): `detail` is a sentence for a person, `field` names the part at
fault, `request_id` stands in the server's log. Lists come in pages: hand `next` back as `cursor`. Signals
and versions of models never change, and carry an ETag.

Where the server has API keys, send one as `Authorization: Bearer KEY`. Reading needs the scope `read`,
changing `write`. Requests whose Host or Origin names another site are refused with 403.
"""


class Api(OpenAPI):
    """The Flask application, with its document completed where the library stops."""

    def __init__(self, name: str) -> None:
        super().__init__(
            name,
            info=Info(title="DREDGE", version=__version__, description=DESCRIPTION),
            doc_ui=False,
            security_schemes={"bearer": {"type": "http", "scheme": "bearer", "description": "An API key"}},
            validation_error_model=Problem,
            validation_error_callback=_refuse,
            static_folder=None,
        )
        self.openapi_version = "3.1.0"

    @cached_property
    def document(self) -> dict[str, Any]:
        """The whole OpenAPI document."""
        document = self.api_doc
        for item in document["paths"].values():
            for operation in item.values():
                _tidy(operation)
        document["components"]["schemas"] = _schemas(document["paths"])
        document["tags"] = [{"name": tag.name, "description": tag.description} for tag in self.tags]
        return document


def area(name: str, description: str, *, open_to_all: bool = False) -> APIBlueprint:
    """A group of routes in the document."""
    return APIBlueprint(
        f"{name}-open" if open_to_all else name,
        __name__,
        abp_tags=[Tag(name=name, description=description)],
        abp_security=None if open_to_all else [{"bearer": []}],
        operation_id_callback=lambda *, name, **_: name,
    )


def answers(
    given: Mapping[int, type[BaseModel] | str | dict[str, Any] | None],
    *problems: int,
    open_to_all: bool = False,
) -> Any:
    """What a route answers: a shape, a media type, a response or None for no body; then its problems."""
    told: dict[int, Any] = {}
    for status, what in given.items():
        if isinstance(what, str):
            told[status] = {"description": HTTPStatus(status).phrase, "content": binary(what)}
        elif what is None:
            told[status] = {"description": HTTPStatus(status).phrase}
        else:
            told[status] = what
    for status in sorted({*problems, *((500,) if open_to_all else ALWAYS)}):
        told[status] = {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(model="Problem")}}},
        }
    # Told by the server in front of the application, in its own words.
    told[414] = {"description": f"URI Too Long: over {LONGEST_LINE:,} bytes", "content": {"text/html": {}}}
    return told


def either(shape: type[BaseModel], *media_types: str, description: str = "OK") -> dict[str, Any]:
    """A response that is a shape as JSON or one of some other media types, as Accept says."""
    content: dict[str, Any] = {"application/json": {"schema": reference(shape)}}
    for media_type in media_types:
        content |= binary(media_type)
    return {"description": description, "content": content}


def takes(content: Mapping[str, type[BaseModel] | dict[str, Any]]) -> dict[str, Any]:
    """The request body of a route that reads it itself: a shape or a schema for each media type."""
    return {
        "requestBody": {
            "required": True,
            "content": {
                media_type: {"schema": what if isinstance(what, dict) else reference(what)}
                for media_type, what in content.items()
            },
        }
    }


def reference(shape: type[BaseModel]) -> dict[str, str]:
    """A reference to one of the shapes."""
    return {"$ref": REFERENCE.format(model=shape.__name__)}


def binary(media_type: str) -> dict[str, Any]:
    """The content of a file."""
    if media_type == "text/event-stream":
        return {media_type: {}}  # a schema would be one of each event
    return {media_type: {"schema": {"type": "string"} if media_type.startswith("text/") else BINARY}}


BINARY = {"type": "string", "format": "binary"}


def add_documentation(app: Api) -> None:
    """Serve /openapi.json and /docs."""
    pages = Blueprint("docs", __name__)
    own = files("dredge.api") / "pages"
    interface = files("flask_openapi3_swagger") / "templates" / "swagger"

    @pages.get("/openapi.json")
    def openapi() -> Response:
        return app.json.response(app.document)  # type: ignore[return-value]

    @pages.get("/docs")
    @pages.get("/docs/")
    def docs() -> Response:
        return send_from_directory(str(own), "docs.html")

    @pages.get("/docs/<path:name>")
    def docs_file(name: str) -> Response:
        here = name in {"docs.js", "docs.css"}
        return send_from_directory(str(own if here else interface), name, max_age=86_400)

    app.register_blueprint(pages)


def _refuse(error: ValidationError) -> NoReturn:
    raise explain(error)


def _tidy(operation: dict[str, Any]) -> None:
    if "description" in operation:
        operation["description"] = operation["description"].replace("<br/>", "\n").strip()
    validation = operation["responses"].get("422", {})
    if "application/json" in validation.get("content", {}):
        del operation["responses"][
            "422"
        ]  # the library adds it to every route, also to those that take nothing
    operation.pop("deprecated", None)


def _schemas(paths: Any) -> dict[str, Any]:
    """Every schema that the paths lead to, as pydantic writes it: the library keeps only keywords that it knows."""
    known: dict[str, Any] = {}
    for shape, mode in _shapes().items():
        schema = shape.model_json_schema(ref_template=REFERENCE, mode=mode)
        known |= {name: known.get(name, nested) for name, nested in schema.pop("$defs", {}).items()}
        known[shape.__name__] = schema
    reached: dict[str, Any] = {}
    waiting = _references(paths)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name] = known[name]
            waiting |= _references(known[name])
    return dict(sorted(reached.items()))


def _shapes() -> dict[type[BaseModel], Literal["validation", "serialization"]]:
    found: dict[type[BaseModel], Literal["validation", "serialization"]] = {Problem: "serialization"}
    for value in vars(shapes).values():
        if isinstance(value, type) and issubclass(value, BaseModel) and value is not BaseModel:
            found[value] = "validation" if issubclass(value, shapes.Shape) else "serialization"
    return found


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"].rpartition("/")[2]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(_references, value.values()))
    if isinstance(value, list):
        return set().union(*map(_references, value))
    return set()
