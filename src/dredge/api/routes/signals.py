"""Recordings in, and back out."""

from __future__ import annotations

import re
from typing import Any, BinaryIO

from flask import Response, request

from dredge.api.answers import JSON, answer, file_answer, page_answer, preferred, tagged, unchanged
from dredge.api.bodies import NUMBERS, json_body, uploaded_file
from dredge.api.current import service
from dredge.api.document import BINARY, answers, area, either, takes
from dredge.api.gate import takes_uploads
from dredge.api.numbers import NPY, npy
from dredge.api.shapes import (
    Paging,
    SamplesAnswer,
    SamplesBody,
    SamplesQuery,
    SignalPage,
    SignalPath,
    UploadQuery,
)
from dredge.errors import InvalidInput, TooLarge
from dredge.store import SignalRecord

signals = area("signals", "Recordings: samples on axes, with units, kept under their SHA-256")

MOST_JSON_VALUES = 1_000_000
FILENAME = re.compile(r'filename="?([^";]+)"?', re.IGNORECASE)


@signals.get("/v1/signals", responses=answers({200: SignalPage}, 422, 503))
def list_signals(query: Paging) -> Response:
    """List signals"""
    page = service().signals(cursor=query.cursor, limit=query.limit)
    return page_answer(SignalPage, page, page.items)


@signals.post(
    "/v1/signals",
    responses=answers({201: SignalRecord}, 400, 413, 415, 422, 501, 503),
    openapi_extensions=takes(
        {
            NUMBERS: BINARY,
            JSON: SamplesBody,
            "multipart/form-data": {"type": "object", "required": ["file"], "properties": {"file": BINARY}},
        }
    ),
)
@takes_uploads
def upload_signal(query: UploadQuery) -> Response:
    """Upload a recording

    The file as the body (`curl --data-binary @ecg.csv '…/v1/signals?name=ecg.csv'`), as the part `file` of a
    form, or samples as JSON. The same recording twice gives the same signal. The parameters say what the file
    does not.
    """
    if request.is_json:
        body = json_body(SamplesBody)
        record = service().import_samples(
            body.samples, sample_rate=body.sample_rate, unit=body.unit, name=body.name
        )
    elif request.mimetype == "multipart/form-data":
        part = request.files.get("file")
        if part is None:
            raise InvalidInput("The form has no part `file`.", field="file")
        record = _import(part.stream, query, part.filename)
    else:
        with uploaded_file() as file:
            record = _import(file, query, _disposition())
    return answer(record, 201, location=f"/v1/signals/{record.id}")


@signals.get("/v1/signals/<id>", responses=answers({200: SignalRecord, 304: None}, 404, 422, 503))
def show_signal(path: SignalPath) -> Response:
    """One signal, without its samples"""
    record = service().signal_record(path.id)
    return unchanged(record.id) or tagged(answer(record), record.id)


@signals.delete("/v1/signals/<id>", responses=answers({204: None}, 404, 422, 503))
def delete_signal(path: SignalPath) -> Response:
    """Delete a signal

    Models that were made from it stay.
    """
    service().delete_signal(path.id)
    return Response(status=204)


@signals.get(
    "/v1/signals/<id>/samples",
    responses=answers({200: either(SamplesAnswer, NPY), 304: None}, 404, 413, 422, 503),
)
def show_samples(path: SignalPath, query: SamplesQuery) -> Response:
    """Samples of a signal

    As JSON, or as an NPY file of float64 [channels, axes…]. `start` and `stop` are indices on the first axis.
    """
    record = service().signal_record(path.id)
    media_type = {"json": JSON, "npy": NPY, None: preferred([JSON, NPY], JSON)}[query.format]
    size = record.axes[0].size
    stop = size if query.stop is None else min(query.stop, size)
    if not query.start < stop:
        raise InvalidInput(
            f"There are no samples from {query.start} to {stop}; the signal has {size}.", field="start"
        )
    tag = f"{record.id}-{query.start}-{stop}-{media_type.rpartition('-')[2][-4:]}"
    if (same := unchanged(tag)) is not None:
        return same
    if media_type == JSON and (stop - query.start) * (record.samples // size) > MOST_JSON_VALUES:
        raise TooLarge(
            f"JSON carries at most {MOST_JSON_VALUES:,} samples.",
            field="stop",
            hint="Ask for a part with start and stop, or for format=npy.",
        )
    signal = service().signal(record.id)
    samples = signal.samples[:, query.start : stop]
    if media_type == NPY:
        return tagged(file_answer(npy(samples), NPY, name=f"{record.id[:12]}.npy"), tag)
    return tagged(
        answer(
            SamplesAnswer(
                id=record.id,
                channels=list(record.channels),
                unit=record.unit,
                start=query.start,
                stop=stop,
                samples=samples.tolist(),
            )
        ),
        tag,
    )


def _import(file: Any, query: UploadQuery, file_name: str | None) -> SignalRecord:
    name = query.name or _base_name(file_name)
    channels = (
        [part.strip() for part in query.channels.split(",") if part.strip()] if query.channels else None
    )
    source: BinaryIO = file
    return service().import_signal(
        source,
        name=name,
        format=query.format,
        sample_rate=query.sample_rate,
        unit=query.unit,
        channels=channels,
        start_time=query.start_time,
        gaps=query.gaps,
    )


def _disposition() -> str | None:
    match = FILENAME.search(request.headers.get("Content-Disposition", ""))
    return match.group(1) if match else None


def _base_name(name: str | None) -> str | None:
    """The last part of a file name: what stands before it is the sender's business, and is used nowhere."""
    return re.split(r"[/\\]", name)[-1][:200] or None if name else None
