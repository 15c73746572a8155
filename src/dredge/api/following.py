"""Jobs followed as server-sent events."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from threading import BoundedSemaphore

import structlog

from dredge.api.shapes import JobAnswer
from dredge.errors import Busy, DredgeError
from dredge.jobs import Job
from dredge.service import Service

log = structlog.get_logger("dredge.api")

HEARTBEAT = 10.0  # seconds; proxies cut lines that are silent for a minute
RUNNING = {"queued", "running"}


@cache
def streams(threads: int) -> BoundedSemaphore:
    """How many may follow at once: each takes a thread while it lasts, and half of them stay for others."""
    return BoundedSemaphore(max(1, threads // 2))


def progress_events(service: Service, job: Job, places: BoundedSemaphore) -> Iterator[str]:
    """Events of a job until it has ended. Raises Busy, before the first one, when too many follow already."""
    if not places.acquire(blocking=False):
        raise Busy(
            "Too many jobs are being followed at once.",
            retry_after=5,
            hint="Ask for the job itself now and then.",
        )
    return _Events(service, job, places)


class _Events:
    """An iterator that gives its place back also when it is closed before it began."""

    def __init__(self, service: Service, job: Job, places: BoundedSemaphore) -> None:
        self._places: BoundedSemaphore | None = places
        self._events = _events(service, job)

    def __iter__(self) -> _Events:
        return self

    def __next__(self) -> str:
        try:
            return next(self._events)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        places, self._places = self._places, None
        if places is not None:
            places.release()


def _events(service: Service, job: Job) -> Iterator[str]:
    last = ""
    try:
        while True:
            for job in service.follow_job(job.id, timeout=HEARTBEAT):  # noqa: B020, PLR1704
                data = JobAnswer.of(job).model_dump_json()
                if data != last:
                    last = data
                    yield f"event: {'progress' if job.state in RUNNING else 'end'}\ndata: {data}\n\n"
                if job.state not in RUNNING:
                    return
            yield ": still there\n\n"
    except DredgeError as error:
        log.warning("following a job ended early", job=job.id, error=str(error))
        yield f"event: error\ndata: {error.message}\n\n"
