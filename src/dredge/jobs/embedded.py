"""The embedded queue: one SQLite file in the data folder, for the processes of one machine.

    job     one row a job
        number      order of submission; what a page's cursor names
        state       queued, running, done, failed, cancelled
        run_at      queued: not before this time (a retry waits); seconds since 1970
        lease       running: who holds it must renew it before this time, or another worker takes the job
        owner       running: token of the attempt that holds the lease; only its holder may write
        cancel      1 when somebody asked a running job to stop
        losses      attempts that ended with the death of the worker or its child
    worker  one row a worker, with the time it was last heard of

SQLite serialises writers, so each change below is one statement and needs no lock of our own.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dredge.errors import Busy, Conflict, InvalidInput, JobNotFound, QueueUnavailable
from dredge.jobs import queue as common
from dredge.jobs.records import ENDED, Depth, Job, Progress, State, WorkerInfo
from dredge.settings import Settings

TABLES = """
CREATE TABLE IF NOT EXISTS job (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL,
    state TEXT NOT NULL, priority INTEGER NOT NULL, time_limit REAL, retries INTEGER NOT NULL, trace TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, losses INTEGER NOT NULL DEFAULT 0, run_at REAL NOT NULL, lease REAL, owner TEXT,
    cancel INTEGER NOT NULL DEFAULT 0, progress TEXT, result TEXT, reason TEXT,
    created REAL NOT NULL, started REAL, finished REAL);
CREATE INDEX IF NOT EXISTS job_ready ON job (state, priority DESC, run_at);
CREATE TABLE IF NOT EXISTS worker (
    id TEXT PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, concurrency INTEGER NOT NULL, seen REAL NOT NULL);
"""
BUSY_SECONDS = 30


class EmbeddedQueue:
    """The queue in one file. Safe to use from several threads and processes at once."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._path = settings.dredge_data / "queue.sqlite"
        self._clock = clock
        self._local = threading.local()

    def submit(self, kind: str, payload: dict[str, Any], *, id: str | None = None, priority: int = 0,
               time_limit: float | None = None, retries: int | None = None,
               trace: dict[str, str] | None = None) -> Job:
        """Put a job into the queue. The same id twice gives the first job. Raises Busy when the queue is full."""
        id = id or uuid.uuid4().hex
        now = self._clock()
        with self._db() as db:
            if db.execute("SELECT 1 FROM job WHERE id = ?", [id]).fetchone():
                return self.job(id)
            [waiting] = db.execute("SELECT count(*) FROM job WHERE state = 'queued'").fetchone()
            if waiting >= self._settings.max_queued_jobs:
                raise Busy(f"{waiting} jobs are waiting already.", retry_after=10.0, hint="Try again later.")
            db.execute(
                "INSERT OR IGNORE INTO job (id, kind, payload, state, priority, time_limit, retries, trace, run_at, created)"
                " VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?)",
                [id, kind, json.dumps(payload), priority, time_limit or self._settings.job_time_limit,
                 self._settings.job_retries if retries is None else retries, json.dumps(trace or {}), now, now])
        return self.job(id)

    def job(self, id: str) -> Job:
        """A job as it stands. Raises JobNotFound."""
        with self._db() as db:
            row = db.execute("SELECT * FROM job WHERE id = ?", [id]).fetchone()
        if row is None:
            raise JobNotFound(f"There is no job {id[:64]!r}.", field="id")
        return _job(row)

    def jobs(self, state: State | None = None, cursor: str | None = None,
             limit: int = 50) -> tuple[list[Job], str | None]:
        """Jobs newest first, and where the next page begins."""
        common.check_limit(limit)
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
            raise InvalidInput("The cursor is not one that this list gave.", field="cursor")
        with self._db() as db:
            rows = db.execute(
                "SELECT * FROM job WHERE number < ? AND (? IS NULL OR state = ?) ORDER BY number DESC LIMIT ?",
                [int(cursor) if cursor else 1 << 62, state, state, limit + 1]).fetchall()
        following = str(rows[limit - 1]["number"]) if len(rows) > limit else None
        return [_job(row) for row in rows[:limit]], following

    def cancel(self, id: str) -> Job:
        """Stop a job: at once when it waits, as soon as its worker hears of it when it runs. Raises Conflict."""
        now = self._clock()
        with self._db() as db:
            changed = db.execute(
                "UPDATE job SET cancel = 1, reason = 'cancelled',"
                " finished = CASE state WHEN 'queued' THEN ? ELSE finished END,"
                " state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END"
                " WHERE id = ? AND state IN ('queued', 'running')", [now, id]).rowcount
        job = self.job(id)
        if not changed:
            raise Conflict(f"The job {id} has ended already: {job.state}.")
        return job

    def depth(self) -> Depth:
        """What waits and what runs."""
        with self._db() as db:
            by_state = dict(db.execute("SELECT state, count(*) FROM job GROUP BY state").fetchall())
            [oldest] = db.execute("SELECT min(created) FROM job WHERE state = 'queued'").fetchone()
        return Depth(queued=by_state.get("queued", 0), running=by_state.get("running", 0),
                     oldest_seconds=max(0.0, self._clock() - oldest) if oldest else 0.0, by_state=by_state)

    def workers(self) -> list[WorkerInfo]:
        """Workers heard of within two leases."""
        with self._db() as db:
            rows = db.execute("SELECT * FROM worker WHERE seen > ?",
                              [self._clock() - 2 * self._settings.job_lease]).fetchall()
        return [WorkerInfo(**dict(row)) for row in rows]

    def check(self) -> None:
        """Raise QueueUnavailable when the file cannot be read."""
        with self._db() as db:
            db.execute("SELECT 1 FROM job LIMIT 1")

    def follow(self, id: str, timeout: float | None = None) -> Iterator[Job]:
        """The job each time it changes, until it has ended or the time is up."""
        return common.follow(self, id, timeout)

    # What a worker does. Every write names the owner, so that one whose lease was taken over changes nothing.

    def announce(self, worker: WorkerInfo) -> None:
        """Say that a worker is there."""
        with self._db() as db:
            db.execute("INSERT OR REPLACE INTO worker VALUES (:id, :host, :pid, :concurrency, :seen)", worker.model_dump())

    def leave(self, worker: str) -> None:
        """Say that a worker is gone."""
        with self._db() as db:
            db.execute("DELETE FROM worker WHERE id = ?", [worker])

    def claim(self, owner: str) -> Job | None:
        """The next job, now running under `owner`: the waiting one of highest priority, or one whose lease ran out."""
        now = self._clock()
        with self._db() as db:
            db.execute(
                "UPDATE job SET state = 'failed', finished = ?, owner = NULL,"
                " reason = 'its worker died ' || (losses + 1) || ' times'"
                " WHERE state = 'running' AND lease < ? AND attempts > retries AND cancel = 0", [now, now])
            db.execute(
                "UPDATE job SET state = 'cancelled', finished = ?, owner = NULL"
                " WHERE state = 'running' AND lease < ? AND cancel = 1", [now, now])
            row = db.execute(
                "UPDATE job SET losses = losses + (state = 'running'), state = 'running', owner = ?, lease = ?,"
                " attempts = attempts + 1, started = coalesce(started, ?), reason = NULL WHERE number = ("
                "   SELECT number FROM job WHERE (state = 'queued' AND run_at <= ?) OR (state = 'running' AND lease < ?)"
                "   ORDER BY priority DESC, run_at, number LIMIT 1) RETURNING *",
                [owner, now + self._settings.job_lease, now, now, now]).fetchone()
        return None if row is None else _job(row)

    def renew(self, id: str, owner: str) -> str:
        """Keep the lease. Answers "held", "cancel" when somebody asked for it, or "lost"."""
        with self._db() as db:
            row = db.execute(
                "UPDATE job SET lease = ? WHERE id = ? AND owner = ? AND state = 'running' RETURNING cancel",
                [self._clock() + self._settings.job_lease, id, owner]).fetchone()
        return "lost" if row is None else "cancel" if row["cancel"] else "held"

    def progress(self, id: str, owner: str, progress: Progress) -> None:
        """Say how far a job is."""
        with self._db() as db:
            db.execute("UPDATE job SET progress = ? WHERE id = ? AND owner = ? AND state = 'running'",
                       [progress.model_dump_json(), id, owner])

    def finish(self, id: str, owner: str, state: State, *, result: dict[str, Any] | None = None,
               reason: str | None = None) -> bool:
        """End a job. False when the lease had been lost."""
        with self._db() as db:
            return db.execute(
                "UPDATE job SET state = CASE WHEN cancel = 1 AND :state = 'failed' THEN 'cancelled' ELSE :state END,"
                " reason = CASE WHEN cancel = 1 AND :state = 'failed' THEN 'cancelled' ELSE :reason END,"
                " result = :result, finished = :now, owner = NULL WHERE id = :id AND owner = :owner AND state = 'running'",
                {"state": state, "result": None if result is None else json.dumps(result), "reason": reason,
                 "now": self._clock(), "id": id, "owner": owner}).rowcount == 1

    def give_back(self, id: str, owner: str, *, delay: float, reason: str, counts: bool, lost: bool = False) -> bool:
        """Put a job back: after `delay` seconds, or to the front when the attempt does not count. One that somebody
        cancelled meanwhile ends instead."""
        now = self._clock()
        with self._db() as db:
            return db.execute(
                "UPDATE job SET state = CASE cancel WHEN 1 THEN 'cancelled' ELSE 'queued' END,"
                " reason = CASE cancel WHEN 1 THEN 'cancelled' ELSE :reason END,"
                " finished = CASE cancel WHEN 1 THEN :now END,"
                " run_at = CASE WHEN :counts THEN :then ELSE created END,"  # created: before all that came later
                " owner = NULL, attempts = attempts - (1 - :counts), losses = losses + :lost"
                " WHERE id = :id AND owner = :owner AND state = 'running'",
                {"reason": reason, "now": now, "then": now + delay, "counts": int(counts), "lost": int(lost),
                 "id": id, "owner": owner}).rowcount == 1

    @contextmanager
    def _db(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._connection() as db:
                yield db
        except (sqlite3.Error, OSError) as error:
            raise QueueUnavailable(f"The queue {self._path} does not answer: {error}.",
                                   hint="Is its folder there, and may it be written?") from error

    def _connection(self) -> sqlite3.Connection:
        # A connection belongs to one thread of one process: neither survives a fork.
        if getattr(self._local, "pid", None) != os.getpid():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")  # durable once the caller has its id
            db.executescript(TABLES)
            self._local.db, self._local.pid = db, os.getpid()
        connection: sqlite3.Connection = self._local.db
        return connection


def _job(row: sqlite3.Row) -> Job:
    values = {name: row[name] for name in row.keys() if name in Job.model_fields}  # noqa: SIM118
    for name in ("payload", "result", "trace", "progress"):
        values[name] = json.loads(values[name]) if values[name] else {} if name in ("payload", "trace") else None
    if values["progress"] is None:
        values["progress"] = Progress(fraction=1.0) if row["state"] == "done" else Progress()
    if row["state"] == "done":
        values["progress"] = {**dict(values["progress"]), "fraction": 1.0}
    if row["state"] not in ENDED:
        values["finished"] = None
    return Job(**values)
