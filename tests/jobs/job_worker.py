"""A worker with handlers that tests can steer. Settings come from the environment, gates and events are files.

A handler that waits does so until the file `gate-NAME` is there; what happens is a line in `events`.
"""

import ctypes
import json
import os
import signal
import sys
import time
from pathlib import Path

from dredge.errors import InvalidInput, QueueUnavailable, Stopped
from dredge.jobs import open_queue, retrying, run_worker
from dredge.settings import Settings

FOLDER = Path(os.environ.get("JOBS_FOLDER", "."))
FIRST_DELAY = 0.3


def note(what, context):
    line = json.dumps({"what": what, "job": context.job.id, "attempt": context.attempt, "time": time.time(),
                       "pid": os.getpid(), "worker": os.getppid()})
    with (FOLDER / "events").open("a") as file:
        file.write(line + "\n")


def wait_at_gate(name):
    while not (FOLDER / f"gate-{name}").exists():
        time.sleep(0.02)


def echo(context, payload):
    note("start", context)
    return {"heard": payload, "pid": os.getpid()}


def gated(context, payload):
    """Waits at its gate, then makes sure of its lease before it writes."""
    note("start", context)
    wait_at_gate(payload["gate"])
    try:
        context.require_lease()
    except Stopped:
        note("stopped", context)
        raise
    note("written", context)
    return {"pid": os.getpid()}


def stages(context, payload):
    context.progress(0.5, "half", error=0.25, message="on the way")
    wait_at_gate("stages")
    return {}


def broken(context, payload):
    note("start", context)
    raise RuntimeError("a secret detail")


def hopeless(context, payload):
    note("start", context)
    raise InvalidInput("The signal has no samples.", field="signal")


def not_json(context, payload):
    return {"object": object()}


def dying(context, payload):
    note("start", context)
    os.kill(os.getpid(), signal.SIGKILL)


def poison(context, payload):
    note("start", context)
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)


def hold_gil(context, payload):
    note("start", context)
    ctypes.PyDLL(None).sleep(payload["seconds"])  # PyDLL keeps the lock for the whole call
    return {}


HANDLERS = {handler.__name__: handler
            for handler in (echo, gated, stages, broken, hopeless, not_json, dying, poison, hold_gil)}


def lose_first_answers(form, count):
    """Let a form of the queue be away the first times it is told how a job ended."""
    left, finish = [count], form.finish

    def away_at_first(*args, **named):
        if left[0]:
            left[0] -= 1
            raise QueueUnavailable("The queue is away.")
        return finish(*args, **named)

    form.finish = away_at_first


if __name__ == "__main__":
    retrying.FIRST_DELAY = FIRST_DELAY
    settings = Settings.load()
    lose_first_answers(type(open_queue(settings)), int(sys.argv[2]))
    run_worker(settings, HANDLERS, concurrency=int(sys.argv[1]))
