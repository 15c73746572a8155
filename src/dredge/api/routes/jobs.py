"""Jobs: what runs in the background, followed to its end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from flask import Response, request

from dredge.api.answers import answer, page_answer
from dredge.api.current import service, settings
from dredge.api.document import answers, area
from dredge.api.following import progress_events, streams
from dredge.api.numbers import NPY
from dredge.api.shapes import JobAnswer, JobPage, JobPaging, JobPath
from dredge.errors import Conflict

jobs = area("jobs", "Background runs: state, progress, cancellation, results")


@jobs.get("/v1/jobs", responses=answers({200: JobPage}, 422, 503))
def list_jobs(query: JobPaging) -> Response:
    """List jobs, newest first"""
    page = service().jobs(state=query.state, cursor=query.cursor, limit=query.limit)
    return page_answer(JobPage, page, [JobAnswer.of(job) for job in page.items])


@jobs.get("/v1/jobs/<id>", responses=answers({200: JobAnswer}, 404, 422, 503))
def show_job(path: JobPath) -> Response:
    """A job as it stands"""
    return answer(JobAnswer.of(service().job(path.id)))


@jobs.get("/v1/jobs/<id>/events", responses=answers({200: "text/event-stream"}, 404, 422, 429, 503))
def follow_job(path: JobPath) -> Response:
    """Follow a job

    Server-sent events: `progress` each time the job changes, `end` once it has ended, each with the job as
    its data. Comments in between show that the line is alive.
    """
    job = service().job(path.id)
    pieces: Iterator[str] = iter(())
    if request.method != "HEAD":
        pieces = progress_events(service(), job, streams(settings().server_threads))
    response = Response(pieces, content_type="text/event-stream; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold the events back
    return response


@jobs.post("/v1/jobs/<id>/cancel", responses=answers({200: JobAnswer}, 404, 409, 422, 503))
def cancel_job(path: JobPath) -> Response:
    """Cancel a job that waits or runs

    409 when it has ended.
    """
    return answer(JobAnswer.of(service().cancel_job(path.id)))


@jobs.get("/v1/jobs/<id>/result", responses=answers({200: NPY, 303: None}, 404, 409, 422, 503))
def job_result(path: JobPath) -> Response:
    """What a job made

    The file of an evaluation; for a fit, the way to its model. 409 while there is no result.
    """
    job = service().job(path.id)
    if job.state != "done" or not job.result:
        raise Conflict(f"The job {job.id} has no result; its state is {job.state}.")
    if "model" in job.result:
        to = f"/v1/models/{job.result['model']}?version={job.result['version']}"
        return Response(status=303, headers={"Location": to})
    pieces = iter(service().job_result_file(job.id))
    first = next(pieces, b"")  # a file that is not there is found out before the answer has begun
    return Response(
        chain([first], pieces),
        content_type=NPY,
        headers={"Content-Disposition": f'attachment; filename="{job.id}.npy"'},
    )
