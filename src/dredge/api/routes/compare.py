"""Two models side by side."""

from __future__ import annotations

from flask import Response

from dredge.api.answers import JSON, answer
from dredge.api.bodies import json_body
from dredge.api.current import service
from dredge.api.document import answers, area, takes
from dredge.api.gate import needs
from dredge.api.shapes import CompareAnswer, CompareBody, CompareQuery

comparing = area("compare", "Two models side by side")


@comparing.get("/v1/compare", responses=answers({200: CompareAnswer}, 404, 422, 503))
def compare(query: CompareQuery) -> Response:
    """Compare two models

    On the samples that both were made from or, without such, on the part of the axis they have in common.
    """
    return _compare(query)


@comparing.post(
    "/v1/compare",
    responses=answers({200: CompareAnswer}, 400, 404, 413, 415, 422, 503),
    openapi_extensions=takes({JSON: CompareBody}),
)
@needs("read")
def compare_as_json() -> Response:
    """Compare two models, named in the body"""
    return _compare(json_body(CompareBody))


def _compare(which: CompareQuery | CompareBody) -> Response:
    return answer(
        CompareAnswer.of(
            service().compare(
                which.first,
                which.second,
                first_version=which.first_version,
                second_version=which.second_version,
            )
        )
    )
