"""Start the worker that belongs to the queue, and stop it when asked."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from dredge.jobs.child import Handlers
from dredge.jobs.worker import EmbeddedWorker, Worker
from dredge.settings import Settings


def run_worker(settings: Settings, handlers: Handlers, *, concurrency: int | None = None,
               check: Callable[[], None] = lambda: None,
               watching: Callable[[Worker], AbstractContextManager[Any]] = lambda _: nullcontext()) -> None:
    """Work until SIGTERM or SIGINT: then running jobs get `worker_grace` seconds before they are handed back.

    No job is taken while `check` raises Unavailable. `watching` is given the worker and entered while it works.
    """
    if settings.broker_url:
        from dredge.jobs.redis_worker import RedisWorker

        worker: Worker = RedisWorker(settings, handlers, concurrency=concurrency, check=check)
    else:
        worker = EmbeddedWorker(settings, handlers, concurrency=concurrency, check=check)
    if threading.current_thread() is threading.main_thread():
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: worker.stop())
    with watching(worker):
        worker.run()
