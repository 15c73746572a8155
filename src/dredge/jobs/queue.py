"""The queue as its users see it, and the choice between its two forms."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Protocol

from dredge.errors import InvalidInput
from dredge.jobs.records import Depth, Job, Progress, State, WorkerInfo
from dredge.settings import Settings

MOST_LISTED = 500
POLL = 0.2


class Queue(Protocol):
    """Submit, look, cancel. A job is durable once `submit` has returned."""

    def submit(self, kind: str, payload: dict[str, Any], *, id: str | None = None, priority: int = 0,
               time_limit: float | None = None, retries: int | None = None,
               trace: dict[str, str] | None = None) -> Job: ...

    def job(self, id: str) -> Job: ...

    def jobs(self, state: State | None = None, cursor: str | None = None,
             limit: int = 50) -> tuple[list[Job], str | None]: ...

    def cancel(self, id: str) -> Job: ...

    def depth(self) -> Depth: ...

    def workers(self) -> list[WorkerInfo]: ...

    def check(self) -> None: ...

    def follow(self, id: str, timeout: float | None = None) -> Iterator[Job]: ...


class WorkQueue(Queue, Protocol):
    """The queue as workers use it. Every change names its owner, so that one whose lease was taken over changes nothing."""

    def announce(self, worker: WorkerInfo) -> None: ...

    def leave(self, worker: str) -> None: ...

    def claim(self, owner: str) -> Job | None: ...

    def renew(self, id: str, owner: str) -> str: ...

    def progress(self, id: str, owner: str, progress: Progress) -> None: ...

    def finish(self, id: str, owner: str, state: State, *, result: dict[str, Any] | None = None,
               reason: str | None = None) -> bool: ...

    def give_back(self, id: str, owner: str, *, delay: float, reason: str, counts: bool, lost: bool = False) -> bool: ...


def open_queue(settings: Settings) -> Queue:
    """The queue on Redis when the settings name one, else the embedded queue in the data folder."""
    if settings.broker_url:
        from dredge.jobs.redis_queue import RedisQueue

        return RedisQueue(settings)
    from dredge.jobs.embedded import EmbeddedQueue

    return EmbeddedQueue(settings)


def follow(queue: Queue, id: str, timeout: float | None) -> Iterator[Job]:
    """The job each time it changes, until it has ended or the time is up."""
    deadline = None if timeout is None else time.monotonic() + timeout
    seen = None
    while True:
        job = queue.job(id)
        if job != seen:
            yield job
            seen = job
        if job.ended or (deadline is not None and time.monotonic() >= deadline):
            return
        time.sleep(POLL if deadline is None else max(0.0, min(POLL, deadline - time.monotonic())))


def check_limit(limit: int) -> int:
    """Raise InvalidInput unless a page of `limit` rows may be asked for."""
    if not 1 <= limit <= MOST_LISTED:
        raise InvalidInput(f"A page has 1 to {MOST_LISTED} rows, not {limit}.", field="limit")
    return limit
