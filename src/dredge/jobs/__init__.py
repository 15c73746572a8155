"""Background work: the queue, its embedded form and its form on Redis, and the worker."""

from dredge.jobs.context import Context
from dredge.jobs.queue import Queue, open_queue
from dredge.jobs.records import Depth, Job, Progress, State, WorkerInfo
from dredge.jobs.run import run_worker

__all__ = ["Context", "Depth", "Job", "Progress", "Queue", "State", "WorkerInfo", "open_queue", "run_worker"]
