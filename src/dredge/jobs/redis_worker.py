"""The worker of the queue on Redis.

It is the worker of the embedded form on another queue. RQ's own worker is not used, because each of its steps would have
to be replaced: its lease is a fixed minute in whole seconds, its child writes the end of a job itself and so loses it when
Redis is away, nothing keeps a child whose lease was taken over from writing, its retries wait for a scheduler process whose
lock outlives it by a minute, and its locks for tidying outlive it by fifteen. What is shared with RQ is the data: lists,
jobs, registries and workers as its tools, dashboards and exporters read them.
"""

from __future__ import annotations

from collections.abc import Callable

from dredge.jobs.child import Handlers
from dredge.jobs.redis_queue import RedisQueue
from dredge.jobs.worker import Worker
from dredge.settings import Settings


class RedisWorker(Worker):
    """Runs jobs of the queue on Redis, `concurrency` at once, until it is asked to stop."""

    def __init__(self, settings: Settings, handlers: Handlers, *, concurrency: int | None = None,
                 check: Callable[[], None] = lambda: None) -> None:
        super().__init__(settings, lambda: RedisQueue(settings), handlers, concurrency, check)
