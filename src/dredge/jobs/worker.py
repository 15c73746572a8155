"""The worker: it forks one child a job and does nothing but watch them. Both forms of the queue have the same one."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, cast

from dredge.errors import QueueUnavailable, Unavailable
from dredge.jobs import retrying
from dredge.jobs.child import Child, Handlers
from dredge.jobs.embedded import EmbeddedQueue
from dredge.jobs.queue import WorkQueue
from dredge.jobs.records import State, WorkerInfo
from dredge.settings import Settings

IDLE = 0.1  # seconds between two looks for work
CHECK_AGAIN = 2.0  # seconds between two looks at what jobs need
FIRST_PAUSE = 0.1  # seconds before a queue that did not answer is asked again; each further time twice as long
SILENT = 60.0  # seconds without a turn after which the worker is stuck; longer than any queue takes to answer
OUTCOMES = ("done", "failed", "retried", "cancelled", "handed_back", "lost")

log = logging.getLogger("dredge.worker")


class Worker:
    """Runs jobs of a queue, `concurrency` at once, until it is asked to stop."""

    def __init__(self, settings: Settings, make_queue: Callable[[], WorkQueue], handlers: Handlers,
                 concurrency: int | None = None, check: Callable[[], None] = lambda: None) -> None:
        self._settings = settings
        self._make_queue = make_queue
        self._queue = make_queue()
        self._handlers = handlers
        self._check = check
        self._lacks: str | None = None
        self._checked = -CHECK_AGAIN
        self._concurrency = concurrency or settings.worker_concurrency
        self._children: list[Child] = []
        self._id = uuid.uuid4().hex
        self._stopped_at: float | None = None
        self._announced = -settings.job_lease
        # A renewal may come late by one pause, and a lease must outlive several that fail.
        self._renewal = min(1.0, settings.job_lease / 4)
        self._pause = 0.0
        self._ask_again = 0.0
        self._turned = time.monotonic()
        self._unanswered: str | None = "The queue has not been asked yet."
        self.forking = threading.Lock()  # held while a child is forked, for threads that hold locks which it will need
        self.outcomes = dict.fromkeys(OUTCOMES, 0)  # attempts that ended, by how

    @property
    def running(self) -> int:
        """Jobs that run."""
        return len(self._children)

    @property
    def concurrency(self) -> int:
        """Jobs that may run at once."""
        return self._concurrency

    def stuck(self) -> str | None:
        """Why only a restart helps, in a sentence; None when it would not."""
        silence = time.monotonic() - self._turned
        return f"The worker has not looked after its jobs for {silence:.0f} s." if silence > SILENT else None

    def trouble(self) -> str | None:
        """Why no job gets on here, in a sentence. Jobs that run go on while the queue is away."""
        return self.stuck() or (None if self._children else self._unanswered or self._lacks)

    def stop(self) -> None:
        """Take no more jobs; let those that run finish within the grace, then hand them back."""
        if self._stopped_at is None:  # a plain value: a signal handler may not wait for a lock
            self._stopped_at = time.monotonic()

    def run(self) -> None:
        """Work until `stop` and the end of what runs."""
        while not self._over():
            self._watch()
            if not self._talk():
                time.sleep(IDLE / 2 if self._children else IDLE)
        try:
            self._queue.leave(self._id)
        except QueueUnavailable as error:
            log.warning("%s", error)

    def _over(self) -> bool:
        if self._stopped_at is None:
            return False
        if self._children and self._pause and all(child.ended for child in self._children):
            # Nobody to tell how they ended: after a lease another worker runs them again.
            return time.monotonic() - self._stopped_at > self._settings.worker_grace + self._settings.job_lease
        return not self._children

    def _watch(self) -> None:
        """What needs no queue, and so goes on while it is away: see who has ended, kill who is over its time."""
        now = self._turned = time.monotonic()
        for child in self._children:
            child.look()
            if child.ended or child.verdict is not None:
                continue
            if child.job.time_limit and now - child.began > child.job.time_limit:
                child.kill("time")
            elif self._stopped_at is not None and now - self._stopped_at > self._settings.worker_grace:
                child.kill("stopping")

    def _talk(self) -> bool:
        """Renew leases, tell how children ended, take a job. True when one was taken.

        While the queue is away children go on, and what it did not hear it is told when it is back.
        """
        now = time.monotonic()
        if now < self._ask_again:
            return False
        try:
            self._announce(now)
            for child in list(self._children):
                if child.ended:
                    self._tell(child)
                    self._children.remove(child)
                elif child.verdict is None and now - child.renewed >= self._renewal:
                    self._renew(child)
            taken = self._claim()
        except QueueUnavailable as error:
            log.warning("%s", error)
            self._unanswered = str(error)
            self._pause = min(self._renewal, 2 * self._pause or FIRST_PAUSE)
            self._ask_again = time.monotonic() + self._pause
            return False
        if self._unanswered is not None:
            log.info("The queue answers again.")
        self._pause = 0.0
        self._unanswered = None
        return taken

    def _tell(self, child: Child) -> None:
        heard = _Heard(self._queue)
        retrying.tell(cast(WorkQueue, heard), child)
        self.outcomes[heard.outcome] += 1

    def _announce(self, now: float) -> None:
        if now - self._announced >= self._settings.job_lease / 3:
            self._queue.announce(WorkerInfo(id=self._id, host=socket.gethostname(), pid=os.getpid(),
                                            concurrency=self._concurrency, seen=time.time()))
            self._announced = now

    def _renew(self, child: Child) -> None:
        answer = self._queue.renew(child.job.id, child.owner)
        child.renewed = time.monotonic()
        if answer != "held":
            child.kill(answer)

    def _lacking(self) -> bool:
        """Whether something is away without which a job would only fail."""
        if time.monotonic() - self._checked >= CHECK_AGAIN:
            try:
                self._check()
                lacks = None
            except Unavailable as error:
                lacks = str(error)
                log.warning("no job is taken: %s", lacks)
            if self._lacks is not None and lacks is None:
                log.info("Jobs are taken again.")
            self._lacks, self._checked = lacks, time.monotonic()
        return self._lacks is not None

    def _claim(self) -> bool:
        if self._stopped_at is not None or len(self._children) >= self._concurrency or self._lacking():
            return False
        owner = uuid.uuid4().hex
        job = self._queue.claim(owner)
        if job is None:
            return False
        with self.forking:
            self._children.append(Child(self._make_queue, self._handlers, job, owner))
        return True


class _Heard:
    """The queue as somebody tells it how an attempt ended; remembers what it heard and believed."""

    def __init__(self, queue: WorkQueue) -> None:
        self._queue = queue
        self.outcome = "lost"

    def finish(self, id: str, owner: str, state: State, **more: Any) -> bool:
        return self._hear(state, self._queue.finish(id, owner, state, **more))

    def give_back(self, id: str, owner: str, *, counts: bool, **more: Any) -> bool:
        return self._hear("retried" if counts else "handed_back", self._queue.give_back(id, owner, counts=counts, **more))

    def _hear(self, outcome: str, believed: bool) -> bool:
        if believed:
            self.outcome = outcome
        return believed


class EmbeddedWorker(Worker):
    """The worker of the embedded queue."""

    def __init__(self, settings: Settings, handlers: Handlers, *, concurrency: int | None = None,
                 check: Callable[[], None] = lambda: None) -> None:
        super().__init__(settings, lambda: EmbeddedQueue(settings), handlers, concurrency, check)
