"""The Open Inference Protocol V2, wired to `dredge.serving`."""

from __future__ import annotations

import orjson
from flask import Response

from dredge.api.answers import JSON, answer
from dredge.api.bodies import NUMBERS, inflated_bytes
from dredge.api.current import service
from dredge.api.document import BINARY, answers, area, takes
from dredge.api.gate import needs, takes_uploads
from dredge.api.shapes import (
    InferHeaders,
    Live,
    ModelPath,
    ModelReady,
    ModelVersionPath,
    Ready,
    ServerMetadata,
)
from dredge.serving import OpenInference

ABOUT = "The Open Inference Protocol V2, as tritonclient speaks it"
inference = area("inference", ABOUT)
inference_health = area("inference", ABOUT, open_to_all=True)

INFER = takes(
    {
        JSON: {"type": "object", "required": ["inputs"], "properties": {"inputs": {"type": "array"}}},
        NUMBERS: BINARY,
    }
)
INFERRED = {
    200: {"description": "OK", "content": {JSON: {"schema": {"type": "object"}}, NUMBERS: {"schema": BINARY}}}
}
METADATA = {200: {"description": "OK", "content": {JSON: {"schema": {"type": "object"}}}}}


@inference.get("/v2", responses=answers({200: ServerMetadata}))
def server_metadata() -> Response:
    """Name, version and extensions of the server"""
    return _json(_protocol().server_metadata())


@inference_health.get("/v2/health/live", responses=answers({200: Live}, open_to_all=True))
def inference_live() -> Response:
    """Whether the server lives"""
    return answer(Live(live=True))


@inference_health.get("/v2/health/ready", responses=answers({200: Ready}, 503, open_to_all=True))
def inference_ready() -> Response:
    """Whether the server can answer"""
    service().ready()
    return answer(Ready(ready=True))


@inference.post(
    "/v2/repository/index",
    responses=answers(
        {
            200: {
                "description": "OK",
                "content": {JSON: {"schema": {"type": "array", "items": {"type": "object"}}}},
            }
        },
        503,
    ),
)
@needs("read")
def repository_index() -> Response:
    """Every model at its newest version"""
    return _json(_protocol().repository_index())


@inference.get("/v2/models/<name>", responses=answers(METADATA, 400, 404, 503))
def model_metadata(path: ModelPath) -> Response:
    """Inputs and outputs of a model"""
    return _json(_protocol().model_metadata(path.name))


@inference.get("/v2/models/<name>/versions/<version>", responses=answers(METADATA, 400, 404, 503))
def version_metadata(path: ModelVersionPath) -> Response:
    """Inputs and outputs of a version of a model"""
    return _json(_protocol().model_metadata(path.name, path.version))


@inference.get("/v2/models/<name>/ready", responses=answers({200: ModelReady}, 400, 404, 503))
def model_ready(path: ModelPath) -> Response:
    """Whether a model can answer"""
    return _ready(path.name, None)


@inference.get(
    "/v2/models/<name>/versions/<version>/ready", responses=answers({200: ModelReady}, 400, 404, 503)
)
def version_ready(path: ModelVersionPath) -> Response:
    """Whether a version of a model can answer"""
    return _ready(path.name, path.version)


@inference.post(
    "/v2/models/<name>/infer",
    responses=answers(INFERRED, 400, 404, 413, 415, 429, 503),
    openapi_extensions=INFER,
)
@takes_uploads
@needs("read")
def infer(path: ModelPath, header: InferHeaders) -> Response:
    """Values of a model

    The input `points`, FP32 or FP64 [N, coordinates]; the output `values` [N], of the same type. JSON, or the
    binary tensor extension; the body may be gzip or deflate.
    """
    return _infer(path.name, None, header)


@inference.post(
    "/v2/models/<name>/versions/<version>/infer",
    responses=answers(INFERRED, 400, 404, 413, 415, 429, 503),
    openapi_extensions=INFER,
)
@takes_uploads
@needs("read")
def infer_version(path: ModelVersionPath, header: InferHeaders) -> Response:
    """Values of a version of a model"""
    return _infer(path.name, path.version, header)


def _protocol() -> OpenInference:
    return OpenInference(service())


def _infer(name: str, version: int | None, header: InferHeaders) -> Response:
    length = int(header.header_length) if header.header_length is not None else None
    data, headers = _protocol().infer(name, version, inflated_bytes(), length)
    return Response(data, headers=headers)


def _ready(name: str, version: int | None) -> Response:
    record = service().model(name, version)  # raises what says why it cannot
    return answer(ModelReady(name=record.name, ready=True))


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), content_type=JSON)
