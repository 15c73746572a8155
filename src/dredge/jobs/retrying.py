"""What becomes of a job whose child has ended: done, failed, cancelled, or back into the queue."""

from __future__ import annotations

from dredge.jobs.child import Child
from dredge.jobs.queue import WorkQueue

FIRST_DELAY = 2.0  # seconds before the first retry; each further one waits twice as long


def tell(queue: WorkQueue, child: Child) -> None:
    """Tell the queue how a child ended. Safe to call again: only the holder of the lease changes anything."""
    job, owner = child.job, child.owner
    if child.verdict == "lost":
        return
    if child.answer is not None and "result" in child.answer:
        queue.finish(job.id, owner, "done", result=child.answer["result"])
    elif child.verdict == "cancel":
        queue.finish(job.id, owner, "cancelled", reason="cancelled")
    elif child.verdict == "time":
        queue.finish(job.id, owner, "failed", reason=f"it ran into its time limit of {job.time_limit:g} s")
    elif child.verdict == "stopping":
        queue.give_back(job.id, owner, delay=0, reason="handed back by a worker that stopped", counts=False)
    else:
        _failed(queue, child)


def _failed(queue: WorkQueue, child: Child) -> None:
    job, owner, answer = child.job, child.owner, child.answer
    reason = f"its process died ({child.how()})" if answer is None else str(answer["reason"])
    if (answer is not None and answer.get("hopeless")) or job.attempts > job.retries:
        if job.attempts > 1:
            reason = f"{reason} (after {job.attempts} attempts)"
        queue.finish(job.id, owner, "failed", reason=reason)
    else:
        delay = FIRST_DELAY * 2 ** (job.attempts - 1)
        queue.give_back(job.id, owner, delay=delay, reason=reason, counts=True, lost=answer is None)
