"""What a job is, as every door shows it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

State = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED: frozenset[str] = frozenset({"done", "failed", "cancelled"})


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Progress(_Record):
    """How far a running job is."""

    fraction: float = 0.0
    stage: str = ""
    error: float | None = None  # mean square error of the fit so far
    message: str = ""


class Job(_Record):
    """One background run of a fit or a large evaluation. Times are seconds since 1970, UTC."""

    id: str
    kind: str
    state: State
    progress: Progress = Progress()
    payload: dict[str, Any] = {}
    result: dict[str, Any] | None = None
    reason: str | None = None  # why it failed, was cancelled or waits for another try
    attempts: int = 0
    retries: int = 0
    priority: int = 0
    time_limit: float | None = None
    created: float
    started: float | None = None
    finished: float | None = None
    owner: str | None = None
    trace: dict[str, str] = {}

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ENDED


class Depth(_Record):
    """What waits and what runs."""

    queued: int
    running: int
    oldest_seconds: float
    by_state: dict[str, int]


class WorkerInfo(_Record):
    """A worker that was heard of lately."""

    id: str
    host: str
    pid: int
    concurrency: int
    seen: float
