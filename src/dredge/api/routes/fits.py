"""Fits: signals into models, in the background."""

from __future__ import annotations

from flask import Response

from dredge.analysis import make_options
from dredge.api.answers import JSON, answer
from dredge.api.bodies import json_body
from dredge.api.current import service
from dredge.api.document import answers, area, takes
from dredge.api.gate import needs
from dredge.api.problems import renamed
from dredge.api.shapes import EstimateAnswer, EstimateBody, FitBody, JobAnswer
from dredge.telemetry import tracing

fits = area("fits", "Fits turn a signal into a model, in the background")


@fits.post(
    "/v1/fits",
    responses=answers({202: JobAnswer}, 400, 404, 409, 413, 415, 422, 429, 503),
    openapi_extensions=takes({JSON: FitBody}),
)
def submit_fit() -> Response:
    """Start a fit

    Answers at once with its job; `Location` leads to it. The job's result names the model and its version,
    which are set aside now.
    """
    body = json_body(FitBody)
    with renamed(name="model"):
        job = service().submit_fit(
            body.signal,
            make_options(body.options()),
            model=body.model,
            channel=body.channel,
            id=body.id,
            priority=body.priority,
            time_limit=body.time_limit,
            trace=tracing.inject(),
        )
    return answer(JobAnswer.of(job), 202, location=f"/v1/jobs/{job.id}")


@fits.post(
    "/v1/fits/estimate",
    responses=answers({200: EstimateAnswer}, 400, 404, 413, 415, 422, 503),
    openapi_extensions=takes({JSON: EstimateBody}),
)
@needs("read")
def estimate_fit() -> Response:
    """What a fit would cost"""
    body = json_body(EstimateBody)
    return answer(EstimateAnswer.of(service().estimate_fit(body.signal, make_options(body.options()))))
