"""The queue on Redis, for servers and workers of several machines. Its data is RQ's: lists, jobs, registries, workers.

    priority above 0    list dredge-high
    priority 0          list dredge-default
    priority below 0    list dredge-low

Within a list jobs run in the order of submission. The changes are scripts in redis_queue.lua, which also says what each key
holds. Redis must keep what it is told (appendonly yes) and must not evict (maxmemory-policy noeviction or volatile-*).
"""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any, cast

from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.credentials import CredentialProvider
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.retry import Retry
from rq import Worker as RQWorker
from rq import worker_registration
from rq.defaults import RQ_KEY_PREFIX
from rq.job import Job as RQJob
from rq.job import JobStatus
from rq.queue import Queue as RQQueue
from rq.serializers import JSONSerializer
from rq.utils import now as rq_now
from rq.utils import utcformat

from dredge.errors import Busy, Conflict, InvalidInput, InvalidSetting, JobNotFound, QueueUnavailable
from dredge.jobs import queue as common
from dredge.jobs.records import Depth, Job, Progress, State, WorkerInfo
from dredge.settings import Settings

HIGH, DEFAULT, LOW = NAMES = ("dredge-high", "dredge-default", "dredge-low")
KEPT = 30 * 86_400  # seconds that a job is kept after its end; before its end nothing expires
FUNCTION = "dredge."  # before the kind, where RQ keeps the name of a function
CONNECT_SECONDS = 2
ANSWER_SECONDS = 5
AT_ONCE = 500  # jobs read in one round trip
SCRIPT = files(__package__).joinpath("redis_queue.lua").read_text()

STATES: dict[str, State] = {"queued": "queued", "scheduled": "queued", "deferred": "queued", "started": "running",
                            "finished": "done", "failed": "failed", "canceled": "cancelled", "stopped": "cancelled"}
STATUSES = {"done": "finished", "failed": "failed", "cancelled": "canceled"}


class RedisQueue:
    """The queue on Redis. Safe to use from several threads, processes and machines at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        try:
            # Once more at once, because a Redis that was restarted has closed what the pool holds. The caller of a worker
            # waits longer; that of a server wants an answer.
            address = {name: value for name, value in _options(settings).items() if name not in ("username", "password")}
            pool = ConnectionPool(**address, credential_provider=_Credentials(settings), socket_connect_timeout=CONNECT_SECONDS,
                                  socket_timeout=ANSWER_SECONDS, retry=Retry(NoBackoff(), 1))
        except ValueError as error:
            raise InvalidSetting(f"REDIS_URL cannot be used: {error}.", field="REDIS_URL",
                                 hint="It looks like redis://:password@host:6379/0.") from None
        self._redis = Redis.from_pool(pool)
        self._script = self._redis.register_script(SCRIPT)

    def submit(self, kind: str, payload: dict[str, Any], *, id: str | None = None, priority: int = 0,
               time_limit: float | None = None, retries: int | None = None,
               trace: dict[str, str] | None = None) -> Job:
        """Put a job into the queue. The same id twice gives the first job. Raises Busy when the queue is full."""
        id = id or uuid.uuid4().hex
        if not re.fullmatch(r"[A-Za-z0-9_-]+", id):
            raise InvalidInput("The id of a job holds letters, digits, - and _ only.", field="id")
        limit = time_limit or self._settings.job_time_limit
        with self._answering():
            job = RQJob.create(FUNCTION + kind, kwargs=payload, id=id, connection=self._redis, serializer=JSONSerializer,
                               origin=HIGH if priority > 0 else LOW if priority < 0 else DEFAULT, description=f"{kind} {id}",
                               timeout=math.ceil(limit), result_ttl=KEPT, failure_ttl=KEPT, status=JobStatus.QUEUED)
            job.enqueued_at = job.created_at
            ours = {"priority": priority, "time_limit": limit, "attempts": 0, "losses": 0,
                    "retries": self._settings.job_retries if retries is None else retries, "trace": json.dumps(trace or {})}
            fields = {**job.to_dict(), "status": "queued", **{f"dredge_{name}": value for name, value in ours.items()}}
            flat = [part for pair in fields.items() for part in pair]
            answer = int(self._do("submit", *flat, id=id, most=self._settings.max_queued_jobs))
        if answer < 0:
            raise Busy(f"{-answer} jobs are waiting already.", retry_after=10.0, hint="Try again later.")
        return self.job(id)

    def job(self, id: str) -> Job:
        """A job as it stands. Raises JobNotFound."""
        with self._answering():
            found = self._read([id])
        if not found:
            raise JobNotFound(f"There is no job {id[:64]!r}.", field="id")
        return found[0]

    def jobs(self, state: State | None = None, cursor: str | None = None,
             limit: int = 50) -> tuple[list[Job], str | None]:
        """Jobs newest first, and where the next page begins."""
        common.check_limit(limit)
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
            raise InvalidInput("The cursor is not one that this list gave.", field="cursor")
        before = f"({cursor}" if cursor else "+inf"
        page: list[tuple[Job, int]] = []
        with self._answering():
            while len(page) <= limit:
                rows: Any = self._redis.zrange("dredge:jobs", before, "-inf", desc=True, byscore=True, offset=0,
                                               num=AT_ONCE if state else limit + 1, withscores=True)
                if not rows:
                    break
                numbers = {_text(id): int(number) for id, number in rows}
                before = f"({min(numbers.values())}"
                page += [(job, numbers[job.id]) for job in self._read(list(numbers)) if state in (None, job.state)]
        return [job for job, _ in page[:limit]], str(page[limit - 1][1]) if len(page) > limit else None

    def cancel(self, id: str) -> Job:
        """Stop a job: at once when it waits, as soon as its worker hears of it when it runs. Raises Conflict."""
        self.job(id)
        with self._answering():
            changed = self._do("cancel", id=id)
        job = self.job(id)
        if not changed:
            raise Conflict(f"The job {id} has ended already: {job.state}.")
        return job

    def depth(self) -> Depth:
        """What waits and what runs."""
        with self._answering(), self._redis.pipeline() as ask:
            for name in NAMES:
                ask.llen(_key("queue", name))
                ask.zcard(_key("scheduled", name))
                ask.zcard(_key("wip", name))
                for status in STATUSES.values():
                    ask.zcard(_key(status, name))
            ask.zrange("dredge:waiting", 0, 0, withscores=True)
            ask.time()
            *counts, oldest, (seconds, micros) = ask.execute()
        waits, retries, running, *ended = (sum(counts[column::6]) for column in range(6))
        by_state = {"queued": waits + retries, "running": running, **dict(zip(STATUSES, ended, strict=True))}
        since = seconds + micros / 1e6
        return Depth(queued=waits + retries, running=running, by_state={k: n for k, n in by_state.items() if n},
                     oldest_seconds=max(0.0, since - float(oldest[0][1])) if oldest and waits + retries else 0.0)

    def workers(self) -> list[WorkerInfo]:
        """Workers heard of within two leases."""
        with self._answering(), self._redis.pipeline(transaction=False) as ask:
            for key in sorted(worker_registration.get_keys(connection=self._redis)):
                ask.hget(key, "dredge_worker")
            return [WorkerInfo.model_validate_json(text) for text in ask.execute() if text]

    def check(self) -> None:
        """Raise QueueUnavailable when Redis does not answer."""
        with self._answering():
            self._redis.ping()

    def follow(self, id: str, timeout: float | None = None) -> Iterator[Job]:
        """The job each time it changes, until it has ended or the time is up."""
        return common.follow(self, id, timeout)

    # What a worker does. Every write names the owner, so that one whose lease was taken over changes nothing.

    def announce(self, worker: WorkerInfo) -> None:
        """Say that a worker is there, to RQ's tools too."""
        with self._answering(), self._redis.pipeline() as tell:
            listed = self._listed(worker.id)
            listed.hostname, listed.pid = worker.host, worker.pid
            listed.birth_date = listed.last_heartbeat = rq_now()
            tell.hset(listed.key, mapping={**listed.serialize(), "state": "started",
                                           "dredge_worker": worker.model_dump_json()})
            tell.pexpire(listed.key, int(2000 * self._settings.job_lease))
            worker_registration.register(listed, tell)
            tell.execute()
            for queue in listed.queues:
                worker_registration.clean_worker_registry(queue)  # forget those that were killed

    def leave(self, worker: str) -> None:
        """Say that a worker is gone."""
        with self._answering(), self._redis.pipeline() as tell:
            listed = self._listed(worker)
            worker_registration.unregister(listed, tell)
            tell.delete(listed.key)
            tell.execute()

    def claim(self, owner: str) -> Job | None:
        """The next job, now running under `owner`: the waiting one of highest priority, or one whose lease ran out."""
        with self._answering():
            id = self._do("claim", owner=owner)
            return None if id is None else next(iter(self._read([_text(id)])), None)

    def renew(self, id: str, owner: str) -> str:
        """Keep the lease. Answers "held", "cancel" when somebody asked for it, or "lost"."""
        with self._answering():
            return _text(self._do("renew", id=id, owner=owner))

    def progress(self, id: str, owner: str, progress: Progress) -> None:
        """Say how far a job is."""
        with self._answering():
            self._do("progress", id=id, owner=owner, progress=progress.model_dump_json())

    def finish(self, id: str, owner: str, state: State, *, result: dict[str, Any] | None = None,
               reason: str | None = None) -> bool:
        """End a job. False when the lease had been lost."""
        with self._answering():
            return bool(self._do("finish", id=id, owner=owner, status=STATUSES[state], reason=reason,
                                 result=None if result is None else json.dumps(result)))

    def give_back(self, id: str, owner: str, *, delay: float, reason: str, counts: bool, lost: bool = False) -> bool:
        """Put a job back: after `delay` seconds, or to the front when the attempt does not count. One that somebody
        cancelled meanwhile ends instead."""
        with self._answering():
            return bool(self._do("give_back", id=id, owner=owner, delay=delay, reason=reason, counts=counts, lost=lost))

    def _do(self, command: str, *fields: Any, **named: Any) -> Any:
        about = {"command": command, "prefix": RQ_KEY_PREFIX, "names": NAMES, "lease": self._settings.job_lease,
                 "kept": KEPT, "date": utcformat(rq_now()), **named}
        return self._script(args=[json.dumps({name: value for name, value in about.items() if value is not None}), *fields])

    def _read(self, ids: list[str]) -> list[Job]:
        with self._redis.pipeline(transaction=False) as ask:
            for id in ids:
                ask.hgetall(_key("job", id))
            rows = ask.execute()
        return [self._job(id, row) for id, row in zip(ids, rows, strict=True) if b"dredge_number" in row]

    def _job(self, id: str, row: dict[bytes, bytes]) -> Job:
        record = RQJob(id, connection=self._redis, serializer=JSONSerializer)
        record.restore(row)
        ours = {_text(name).removeprefix("dredge_"): _text(value) for name, value in row.items()
                if name.startswith(b"dredge_") or name == b"exc_info"}
        state = STATES[_text(row[b"status"])]
        progress = Progress.model_validate_json(ours.get("progress", "{}"))
        return Job(
            id=id, kind=str(record.func_name).removeprefix(FUNCTION), payload=record.kwargs, state=state,
            progress=progress.model_copy(update={"fraction": 1.0}) if state == "done" else progress,
            result=json.loads(row[b"result"]) if b"result" in row else None, reason=ours.get("exc_info"),
            attempts=int(ours["attempts"]), retries=int(ours["retries"]), priority=int(ours["priority"]),
            time_limit=float(ours["time_limit"]), created=float(ours["created"]),
            started=float(ours["started"]) if "started" in ours else None,
            finished=float(ours["finished"]) if "finished" in ours else None,
            owner=ours.get("owner") or None, trace=json.loads(ours["trace"]))

    def _listed(self, id: str) -> _Listed:
        queues = [RQQueue(name, connection=self._redis, serializer=JSONSerializer) for name in NAMES]
        return _Listed(queues, name=id, connection=self._redis, serializer=JSONSerializer, prepare_for_work=False)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except (RedisError, OSError) as error:
            pool = self._redis.connection_pool.connection_kwargs
            place = pool.get("path") or f"{pool.get('host', 'localhost')}:{pool.get('port', 6379)}"
            told = str(error).rstrip(".")
            if isinstance(error, AuthenticationError):
                raise QueueUnavailable(f"Redis at {place} refuses the password: {told}.",
                                       hint="Put the right one into REDIS_URL or REDIS_PASSWORD, or into the file that "
                                            "REDIS_URL_FILE names.") from error
            if isinstance(error, ResponseError):
                raise QueueUnavailable(f"Redis at {place} refuses a command: {told}.",
                                       hint="Its log says more.") from error
            raise QueueUnavailable(f"The queue on Redis at {place} does not answer: {told}.",
                                   hint="Is Redis running? See REDIS_URL and REDIS_HOST.") from error


class _Credentials(CredentialProvider):
    """User and password for each new connection, as they are then."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        options = _options(self._settings)
        given = tuple(options[name] for name in ("username", "password") if options.get(name))
        return cast(tuple[str], given)  # redis-py takes an empty one for no password


def _options(settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = parse_url(settings.broker_url or "")  # type: ignore[no-untyped-call]
    return options


class _Listed(RQWorker):
    """A worker as RQ's tools list it."""

    def _set_connection(self, connection: Redis) -> Redis:
        return connection  # RQ would let every command of the shared pool wait for seven minutes


def _key(kind: str, name: str) -> str:
    return f"{RQ_KEY_PREFIX}:{kind}:{name}"


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
