"""The Open Inference Protocol on this port: routes to `dredge.serving`, the same as on the DREDGE server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dredge.errors import InvalidInput
from dredge.mcp.bodies import json_response, read_body
from dredge.mcp.caller import current_caller
from dredge.mcp.errors import headers_of, sentence, status_of
from dredge.service import Service
from dredge.serving import HEADER_LENGTH, OpenInference

Handler = Callable[[Request], Awaitable[Response]]


def inference_routes(service: Service) -> list[Route]:
    """The routes under /v2."""
    doors = _Doors(service)
    routes: list[tuple[str, Handler, str]] = [
        ("/v2", doors.server, "GET"),
        ("/v2/health/live", doors.live, "GET"),
        ("/v2/health/ready", doors.ready, "GET"),
        ("/v2/repository/index", doors.index, "POST"),
    ]
    for model in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        routes += [
            (model, doors.model, "GET"),
            (f"{model}/ready", doors.model_ready, "GET"),
            (f"{model}/infer", doors.infer, "POST"),
        ]
    return [Route(path, _guarded(handler), methods=[method]) for path, handler, method in routes]


class _Doors:
    def __init__(self, service: Service) -> None:
        self.service = service
        self.protocol = OpenInference(service)
        self.limit = service.settings.max_upload_mb * 2**20

    async def server(self, _: Request) -> Response:
        return json_response(await _off_loop(self.protocol.server_metadata))

    async def live(self, _: Request) -> Response:
        return json_response({"live": True})

    async def ready(self, _: Request) -> Response:
        await _off_loop(self.service.ready)
        return json_response({"ready": True})

    async def index(self, _: Request) -> Response:
        current_caller().require("read")
        return json_response(await _off_loop(self.protocol.repository_index))

    async def model(self, request: Request) -> Response:
        current_caller().require("read")
        return json_response(await _off_loop(self.protocol.model_metadata, *_model(request)))

    async def model_ready(self, request: Request) -> Response:
        current_caller().require("read")
        name, version = _model(request)
        ready = await _off_loop(self.protocol.model_ready, name, version)
        return json_response({"name": name, "ready": ready}, 200 if ready else 400)

    async def infer(self, request: Request) -> Response:
        current_caller().require("read")
        name, version = _model(request)
        body = await read_body(request, self.limit)
        data, headers = await _off_loop(self.protocol.infer, name, version, body, _header_length(request))
        return Response(data, headers=headers)


def _model(request: Request) -> tuple[str, str | None]:
    return request.path_params["name"], request.path_params.get("version")


def _header_length(request: Request) -> int | None:
    given = request.headers.get(HEADER_LENGTH)
    if given is None:
        return None
    if not given.isdecimal() or len(given) > 12:
        raise InvalidInput(f"{HEADER_LENGTH} is not a number.", field=HEADER_LENGTH)
    return int(given)


async def _off_loop(work: Callable[..., Any], *arguments: Any) -> Any:
    return await anyio.to_thread.run_sync(work, *arguments)


def _guarded(handler: Handler) -> Handler:
    """The protocol's own error body, `{"error": sentence}`."""

    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except Exception as error:
            # The protocol knows 400 for whatever is wrong with a request.
            status = 400 if isinstance(error, InvalidInput) else status_of(error)
            return json_response({"error": sentence(error, request.url.path)}, status, headers_of(error))

    return guarded
