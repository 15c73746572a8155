"""What a handler is given: its job, a way to say how far it is, and when to stop."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Protocol

from dredge.errors import QueueUnavailable, Stopped
from dredge.jobs.records import Job, Progress

LEAST_INTERVAL = 0.2  # seconds between two reports of progress


class Holder(Protocol):
    """The queue as the runner of a job needs it."""

    def progress(self, id: str, owner: str, progress: Progress) -> None: ...

    def renew(self, id: str, owner: str) -> str: ...


class Context:
    """One attempt at a job."""

    def __init__(self, queue: Holder, job: Job, owner: str) -> None:
        self.job = job
        self.attempt = job.attempts
        self._queue = queue
        self._owner = owner
        self._last = 0.0
        self._furthest = 0.0

    def progress(self, fraction: float, stage: str, error: float | None = None, message: str = "") -> None:
        """Say how far the job is; a queue that does not answer is no reason to stop working."""
        self._furthest = max(self._furthest, min(1.0, fraction))
        if time.monotonic() - self._last < LEAST_INTERVAL:
            return
        self._last = time.monotonic()
        with suppress(QueueUnavailable):
            self._queue.progress(self.job.id, self._owner,
                                 Progress(fraction=self._furthest, stage=stage, error=error, message=message))

    def should_stop(self) -> str | None:
        """A reason to stop, or None. The worker kills what does not ask, so a handler need not."""
        return None

    def still_mine(self) -> bool:
        """Whether this attempt still holds the job. Ask before writing what must be written once.

        While the queue is away this waits, so that hours of work outlive a restart of it; the worker kills a job that waits
        beyond its time.
        """
        while True:
            try:
                return self._queue.renew(self.job.id, self._owner) == "held"
            except QueueUnavailable:
                time.sleep(LEAST_INTERVAL)

    def require_lease(self) -> None:
        """Raise Stopped when another worker has taken the job over, or somebody cancelled it."""
        if not self.still_mine():
            raise Stopped("The job was taken over or cancelled while it ran.")
