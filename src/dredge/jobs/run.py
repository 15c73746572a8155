"""Start the worker that belongs to the queue, and stop it when asked."""

from __future__ import annotations

import signal
import threading

from dredge.jobs.child import Handlers
from dredge.jobs.worker import EmbeddedWorker, Worker
from dredge.settings import Settings


def run_worker(settings: Settings, handlers: Handlers, *, concurrency: int | None = None) -> None:
    """Work until SIGTERM or SIGINT: then running jobs get `worker_grace` seconds before they are handed back."""
    if settings.broker_url:
        from dredge.jobs.redis_worker import RedisWorker

        worker: Worker = RedisWorker(settings, handlers, concurrency=concurrency)
    else:
        worker = EmbeddedWorker(settings, handlers, concurrency=concurrency)
    if threading.current_thread() is threading.main_thread():
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: worker.stop())
    worker.run()
