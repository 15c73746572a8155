"""One attempt at a job in a forked process of its own, as both forms of the worker run it.

The parent never computes, so that leases never starve behind a child, and can kill a child at any time: when it is
cancelled, over its time, or no longer ours. Memory and the GPU are given back by the child's exit.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from dredge.errors import DredgeError, InvalidInput, MissingExtra, NotFound, TooLarge
from dredge.jobs.context import Context, Holder
from dredge.jobs.records import Job
from dredge.lifetime import end_with_parent

Handler = Callable[[Context, dict[str, Any]], dict[str, Any]]
Handlers = Mapping[str, Handler]
HOPELESS = (InvalidInput, NotFound, TooLarge, MissingExtra)  # another try would end the same way

log = logging.getLogger("dredge.worker")


class Child:
    """A running or ended attempt. Once ended it keeps how, until somebody has been told."""

    def __init__(self, make_queue: Callable[[], Holder], handlers: Handlers, job: Job, owner: str) -> None:
        self.job = job
        self.owner = owner
        self.verdict: str | None = None  # why the parent killed it: time, stopping, cancel, lost
        self.status: int | None = None  # as waitpid gives it, once it has ended
        self.answer: dict[str, Any] | None = None
        descriptor, name = tempfile.mkstemp(prefix="dredge-job-")
        os.close(descriptor)
        self._file = Path(name)
        self.began = self.renewed = time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _run(make_queue, handlers, job, owner, self._file, parent)

    @property
    def ended(self) -> bool:
        """Whether its process is gone."""
        return self.status is not None

    def look(self) -> None:
        """See whether its process has ended, and if so take its answer. A process can be asked for its end only once."""
        if self.ended:
            return
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            text = self._file.read_text()
            self.answer = json.loads(text) if text else None
            self.status = status
            self._file.unlink()
            _part(self._file).unlink(missing_ok=True)

    def kill(self, verdict: str) -> None:
        """End it, and everything it started, at once."""
        self.verdict = verdict
        for kill in (os.killpg, os.kill):
            try:
                kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def how(self) -> str:
        """How its process ended, in words."""
        status = self.status or 0
        if os.WIFSIGNALED(status):
            return f"signal {signal.Signals(os.WTERMSIG(status)).name}"
        return f"exit status {os.waitstatus_to_exitcode(status)}"


def _run(make_queue: Callable[[], Holder], handlers: Handlers, job: Job, owner: str, file: Path, parent: int) -> NoReturn:
    """In the forked child: run the handler, leave the answer in a file, and never return."""
    code = 1
    try:
        os.setpgid(0, 0)
        end_with_parent(parent, signal.SIGKILL)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_IGN)  # the parent decides when to stop
        # Connections do not survive a fork: the child has a queue of its own.
        part = _part(file)
        part.write_text(_answer(handlers, Context(make_queue(), job, owner)))
        part.replace(file)
        code = 0
    except BaseException:
        log.exception("job %s", job.id)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _answer(handlers: Handlers, context: Context) -> str:
    job = context.job
    try:
        handler = handlers.get(job.kind)
        if handler is None:
            raise InvalidInput(f"This worker does not know jobs of the kind {job.kind!r}.", field="kind")
        return json.dumps({"result": handler(context, job.payload)})
    except DredgeError as error:
        return json.dumps({"reason": str(error), "hopeless": isinstance(error, HOPELESS)})
    except Exception as error:
        log.exception("job %s failed", job.id)
        return json.dumps({"reason": f"an error inside DREDGE ({type(error).__name__}); the log has the details"})


def _part(file: Path) -> Path:
    return file.with_suffix(".part")
