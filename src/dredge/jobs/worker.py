"""The worker of the embedded queue: it forks one child a job and does nothing but watch them.

The parent holds the leases, so that they never starve behind a child that computes, and can kill a child at any time:
when it is cancelled, over its time, or no longer ours. Memory and the GPU are given back by the child's exit.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from dredge.errors import DredgeError, InvalidInput, MissingExtra, NotFound, QueueUnavailable, TooLarge
from dredge.jobs.context import Context
from dredge.jobs.embedded import EmbeddedQueue
from dredge.jobs.records import Job, WorkerInfo
from dredge.settings import Settings

Handler = Callable[[Context, dict[str, Any]], dict[str, Any]]
Handlers = Mapping[str, Handler]
HOPELESS = (InvalidInput, NotFound, TooLarge, MissingExtra)  # another try would end the same way
FIRST_DELAY = 2.0  # seconds before the first retry; each further one waits twice as long
IDLE = 0.1
PR_SET_PDEATHSIG = 1

log = logging.getLogger("dredge.worker")


@dataclass
class _Child:
    job: Job
    owner: str
    pid: int
    answer: Path
    began: float
    renewed: float
    verdict: str | None = None  # why the parent killed it


class EmbeddedWorker:
    """Runs jobs of the embedded queue, `concurrency` at once, until it is asked to stop."""

    def __init__(self, settings: Settings, handlers: Handlers, *, concurrency: int | None = None) -> None:
        self._settings = settings
        self._queue = EmbeddedQueue(settings)
        self._handlers = handlers
        self._concurrency = concurrency or settings.worker_concurrency
        self._children: dict[str, _Child] = {}
        self._id = uuid.uuid4().hex
        self._stop = threading.Event()
        self._stopped_at: float | None = None
        self._announced = 0.0

    def stop(self) -> None:
        """Take no more jobs; let those that run finish within the grace, then hand them back."""
        self._stop.set()

    def run(self) -> None:
        """Work until `stop` and the end of what runs."""
        while True:
            now = time.monotonic()
            if self._stop.is_set() and self._stopped_at is None:
                self._stopped_at = now
            try:
                self._announce(now)
                for child in list(self._children.values()):
                    self._watch(child, now)
                claimed = self._claim() if not self._stop.is_set() else False
            except QueueUnavailable as error:
                log.warning("%s", error)  # children go on; the lease is renewed when the queue is back
                claimed = False
            if self._stop.is_set() and not self._children:
                break
            if not claimed:
                self._stop.wait(IDLE / 2 if self._children else IDLE) if not self._stop.is_set() else time.sleep(IDLE / 2)
        try:
            self._queue.leave(self._id)
        except QueueUnavailable as error:
            log.warning("%s", error)

    def _announce(self, now: float) -> None:
        if now - self._announced >= self._settings.job_lease / 3:
            self._announced = now
            self._queue.announce(WorkerInfo(id=self._id, host=socket.gethostname(), pid=os.getpid(),
                                            concurrency=self._concurrency, seen=time.time()))

    def _claim(self) -> bool:
        if len(self._children) >= self._concurrency:
            return False
        owner = uuid.uuid4().hex
        job = self._queue.claim(owner)
        if job is None:
            return False
        descriptor, name = tempfile.mkstemp(prefix="dredge-job-")
        os.close(descriptor)
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            _run_child(self._settings, self._handlers, job, owner, Path(name))
        now = time.monotonic()
        self._children[job.id] = _Child(job, owner, pid, Path(name), now, now)
        return True

    def _watch(self, child: _Child, now: float) -> None:
        pid, status = os.waitpid(child.pid, os.WNOHANG)
        if pid:
            self._settle(child, status)
            return
        if child.verdict is not None:
            return
        if child.job.time_limit and now - child.began > child.job.time_limit:
            self._kill(child, "time")
        elif self._stopped_at is not None and now - self._stopped_at > self._settings.worker_grace:
            self._kill(child, "stopping")
        elif now - child.renewed >= min(1.0, self._settings.job_lease / 4):
            child.renewed = now
            answer = self._queue.renew(child.job.id, child.owner)
            if answer != "held":
                self._kill(child, answer)

    def _kill(self, child: _Child, verdict: str) -> None:
        child.verdict = verdict
        for kill, target in ((os.killpg, child.pid), (os.kill, child.pid)):
            try:
                kill(target, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def _settle(self, child: _Child, status: int) -> None:
        """Tell the queue how a child ended. What the queue did not take is told again in the next round."""
        job, owner = child.job, child.owner
        answer = _read(child.answer)
        if answer is not None and "result" in answer and child.verdict != "lost":
            self._queue.finish(job.id, owner, "done", result=answer["result"])
        elif child.verdict == "cancel":
            self._queue.finish(job.id, owner, "cancelled", reason="cancelled")
        elif child.verdict == "time":
            self._queue.finish(job.id, owner, "failed", reason=f"it ran into its time limit of {job.time_limit:g} s")
        elif child.verdict == "stopping":
            self._queue.give_back(job.id, owner, delay=0, reason="handed back by a worker that stopped", counts=False)
        elif child.verdict is None:
            self._failed(child, status, answer)
        child.answer.unlink(missing_ok=True)
        del self._children[job.id]

    def _failed(self, child: _Child, status: int, answer: dict[str, Any] | None) -> None:
        job, owner = child.job, child.owner
        died = answer is None
        reason = f"its process died ({_how(status)})" if died or answer is None else str(answer["reason"])
        if (answer is not None and answer.get("hopeless")) or job.attempts > job.retries:
            if job.attempts > 1:
                reason = f"{reason} (after {job.attempts} attempts)"
            self._queue.finish(job.id, owner, "failed", reason=reason)
        else:
            delay = FIRST_DELAY * 2 ** (job.attempts - 1)
            self._queue.give_back(job.id, owner, delay=delay, reason=reason, counts=True, lost=died)


def _run_child(settings: Settings, handlers: Handlers, job: Job, owner: str, answer: Path) -> NoReturn:
    """In the forked child: run the handler, leave the answer in a file, and never return."""
    code = 0
    try:
        os.setpgid(0, 0)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_IGN)  # the parent decides when to stop
        _write(answer, _answer(handlers, Context(EmbeddedQueue(settings), job, owner)))
    except BaseException:
        log.exception("job %s", job.id)
        code = 1
    finally:
        sys.stderr.flush()
        os._exit(code)


def _answer(handlers: Handlers, context: Context) -> dict[str, Any]:
    job = context.job
    try:
        handler = handlers.get(job.kind)
        if handler is None:
            raise InvalidInput(f"This worker does not know jobs of the kind {job.kind!r}.", field="kind")
        return {"result": handler(context, job.payload)}
    except DredgeError as error:
        return {"reason": str(error), "hopeless": isinstance(error, HOPELESS)}
    except Exception as error:
        log.exception("job %s failed", job.id)
        return {"reason": f"an error inside DREDGE ({type(error).__name__}); the log has the details"}


def _write(path: Path, answer: dict[str, Any]) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(answer))
    part.replace(path)


def _read(path: Path) -> dict[str, Any] | None:
    text = path.read_text()
    answer: dict[str, Any] | None = json.loads(text) if text else None
    return answer


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"signal {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exit status {os.waitstatus_to_exitcode(status)}"
