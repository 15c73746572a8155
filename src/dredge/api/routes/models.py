"""Models: stored waves, as rows, values, pictures and files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import orjson
from flask import Response, request

from dredge.api.answers import JSON, answer, file_answer, page_answer, preferred, tagged, unchanged
from dredge.api.bodies import NUMBERS, json_body, uploaded_bytes
from dredge.api.current import service
from dredge.api.document import BINARY, answers, area, either, takes
from dredge.api.gate import needs, require_write, takes_uploads
from dredge.api.numbers import NPY, npy, to_bytes, to_points
from dredge.api.shapes import (
    AxisAnswer,
    EvaluateAnswer,
    EvaluateBody,
    EvaluateQuery,
    EventList,
    EventRow,
    EventsQuery,
    JobAnswer,
    ModelPage,
    ModelPath,
    Paging,
    PlotQuery,
    VersionList,
    VersionQuery,
)
from dredge.errors import InvalidInput
from dredge.service import Grid
from dredge.store import ModelRecord

models = area("models", "Named, versioned, stored sums of waves")

CSV, PNG, SVG = "text/csv", "image/png", "image/svg+xml"
COLUMNS = ("index", "time", "width", "frequency", "chirp_rate", "amplitude", "phase", "energy", "edge")


@models.get("/v1/models", responses=answers({200: ModelPage}, 422, 503))
def list_models(query: Paging) -> Response:
    """List models, each at its newest version"""
    page = service().models(cursor=query.cursor, limit=query.limit)
    return page_answer(ModelPage, page, page.items)


@models.get("/v1/models/<name>", responses=answers({200: ModelRecord, 304: None}, 404, 422, 503))
def show_model(path: ModelPath, query: VersionQuery) -> Response:
    """One model: what it is, how it was made and how good it is"""
    record = service().model(path.name, query.version)
    tag = _tag(record)
    return unchanged(tag) or tagged(answer(record), tag)


UPLOAD = takes({NUMBERS: BINARY})


@models.post(
    "/v1/models/<name>", responses=answers({201: ModelRecord}, 413, 415, 422, 503), openapi_extensions=UPLOAD
)
@takes_uploads
def upload_model(path: ModelPath) -> Response:
    """Upload a model as safetensors

    It becomes the next version under this name.
    """
    return _upload(path)


@models.put(
    "/v1/models/<name>", responses=answers({201: ModelRecord}, 413, 415, 422, 503), openapi_extensions=UPLOAD
)
@takes_uploads
def put_model(path: ModelPath) -> Response:
    """Upload a model as safetensors, for tools that put (`curl --upload-file`)

    The same as POST: it becomes the next version under this name.
    """
    return _upload(path)


@models.delete("/v1/models/<name>", responses=answers({204: None}, 404, 422, 503))
def delete_model(path: ModelPath, query: VersionQuery) -> Response:
    """Delete a model, or one version of it"""
    service().delete_model(path.name, query.version)
    return Response(status=204)


@models.get("/v1/models/<name>/versions", responses=answers({200: VersionList}, 404, 422, 503))
def list_versions(path: ModelPath) -> Response:
    """All versions of a model, oldest first"""
    return answer(VersionList(items=service().versions(path.name)))


@models.get(
    "/v1/models/<name>/events", responses=answers({200: either(EventList, CSV), 304: None}, 404, 422, 503)
)
def list_events(path: ModelPath, query: EventsQuery) -> Response:
    """The waves of a model as rows

    Time, width, frequency, chirp rate and amplitude of each, as JSON or CSV, filtered and sorted.
    """
    record = service().model(path.name, query.version)
    media_type = {"json": JSON, "csv": CSV, None: preferred([JSON, CSV], JSON)}[query.format]
    found = service().events(
        record.name,
        record.version,
        sort=query.sort,
        descending=query.descending,
        start=query.from_,
        stop=query.to,
        low=query.low,
        high=query.high,
        strongest=query.strongest,
    )
    rows = [EventRow.of(event) for event in found]
    if media_type == CSV:
        return file_answer(
            _table(rows, record.dimension), f"{CSV}; charset=utf-8", name=f"{record.name}-events.csv"
        )
    return answer(
        EventList(
            model=record.name,
            version=record.version,
            unit=record.unit,
            events=rows,
            axis=AxisAnswer(name=record.axes[0].name, unit=record.axes[0].unit),
        )
    )


@models.get(
    "/v1/models/<name>/plot",
    responses=answers(
        {
            200: {
                "description": "OK",
                "content": {PNG: {"schema": BINARY}, SVG: {"schema": {"type": "string"}}},
            },
            304: None,
        },
        404,
        422,
        503,
    ),
)
def plot_model(path: ModelPath, query: PlotQuery) -> Response:
    """A picture of a model

    With the samples it was made from, when they are still there.
    """
    record = service().model(path.name, query.version)
    media_type = {"png": PNG, "svg": SVG, None: preferred([PNG, SVG], PNG)}[query.format]
    kind = "svg" if media_type == SVG else "png"
    response = file_answer(
        service().plot(record.name, record.version, format="svg" if kind == "svg" else "png"), media_type
    )
    response.headers["Vary"] = "Accept"
    return response


@models.get(
    "/v1/models/<name>/waves.safetensors", responses=answers({200: NUMBERS, 304: None}, 404, 422, 503)
)
def download_model(path: ModelPath, query: VersionQuery) -> Response:
    """A model as safetensors"""
    record = service().model(path.name, query.version)
    if (same := unchanged(record.sha256)) is not None:
        return same
    data = service().model_file(record.name, record.version)
    return tagged(
        file_answer(data, NUMBERS, name=f"{record.name}-{record.version}.safetensors"), record.sha256
    )


@models.post(
    "/v1/models/<name>/evaluate",
    responses=answers(
        {200: either(EvaluateAnswer, NUMBERS, NPY), 202: JobAnswer}, 400, 404, 409, 413, 415, 422, 429, 503
    ),
    openapi_extensions=takes({JSON: EvaluateBody, NUMBERS: BINARY}),
)
@takes_uploads
@needs("read")
def evaluate_model(path: ModelPath, query: EvaluateQuery) -> Response:
    """Values of a model at points or on a grid

    Points as JSON, or as a body of little-endian numbers (`application/octet-stream`), which is answered
    in kind; `Accept` chooses between JSON, such numbers, and NPY. A grid that is too large for one answer becomes
    a job with `background`; that takes the scope `write`.
    """
    record = service().model(path.name, query.version)
    if request.mimetype == NUMBERS:
        points = to_points(uploaded_bytes(), query.dtype, record.dimension)
        values = service().evaluate(record.name, points, record.version)
        return _values(record, values, query, NUMBERS)
    body = json_body(EvaluateBody)
    if (body.points is None) == (body.grid is None):
        raise InvalidInput("Give one of points and grid.", field="points")
    if body.points is not None:
        if not body.points:
            raise InvalidInput("There are no points.", field="points")
        if body.background:
            raise InvalidInput("Only a grid can be evaluated in the background.", field="background")
        return _values(
            record, service().evaluate(record.name, _array(body.points), record.version), query, JSON
        )
    grid: Grid = [(axis.start, axis.stop, axis.count) for axis in body.grid or ()]
    if body.background:
        require_write()
        job = service().submit_evaluation(record.name, record.version, grid)
        return answer(JobAnswer.of(job), 202, location=f"/v1/jobs/{job.id}")
    return _values(record, service().evaluate_grid(record.name, grid, record.version), query, JSON)


def _upload(path: ModelPath) -> Response:
    record = service().import_model(path.name, uploaded_bytes())
    return answer(record, 201, location=f"/v1/models/{record.name}?version={record.version}")


def _values(
    record: ModelRecord, values: npt.NDArray[np.float64], query: EvaluateQuery, default: str
) -> Response:
    media_type = preferred([JSON, NUMBERS, NPY], default)
    if media_type == NUMBERS:
        return file_answer(to_bytes(values, query.dtype), NUMBERS)
    if media_type == NPY:
        return file_answer(npy(values), NPY)
    told = {
        "model": record.name,
        "version": record.version,
        "unit": record.unit,
        "shape": values.shape,
        "values": np.ascontiguousarray(values.reshape(-1)),
    }
    return Response(orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY), content_type=JSON)


def _array(points: Sequence[float] | Sequence[Sequence[float]]) -> npt.NDArray[np.float64]:
    try:
        return np.array(points, dtype=np.float64)
    except ValueError:
        raise InvalidInput(
            "The points do not all have the same number of coordinates.", field="points"
        ) from None


def _table(rows: list[EventRow], dimension: int) -> bytes:
    """Rows as CSV; in several dimensions with one column an axis for centre, width and wavenumber."""
    wide = ("centre", "widths", "wavenumber") if dimension > 1 else ()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *(f"{name}_{axis}" for name in wide for axis in range(dimension))])
    for row in rows:
        writer.writerow(
            [
                *(getattr(row, name) for name in COLUMNS),
                *(value for name in wide for value in getattr(row, name)),
            ]
        )
    return text.getvalue().encode()


def _tag(record: ModelRecord) -> str:
    return f"{record.version}-{record.sha256}"
