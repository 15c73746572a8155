"""One suite, two forms of the queue: the embedded one, and RQ's on a Redis server. Workers are real processes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from dredge.jobs import open_queue
from dredge.settings import Settings
from waiting import free_ports, wait_until

WORKER = Path(__file__).with_name("job_worker.py")
LEASE = 1.5


class RedisServer:
    """A Redis of its own that keeps what it is told, and can be killed and started again."""

    def __init__(self, folder):
        [self.port] = free_ports(1)
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.folder = folder
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder),
             "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""], stdout=subprocess.DEVNULL)
        wait_until(self.answers, "Redis")

    def answers(self):
        try:
            return redis.Redis.from_url(self.url).ping()
        except redis.RedisError:
            return False

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(20)


@pytest.fixture
def until():
    return wait_until


@pytest.fixture
def redis_server(tmp_path):
    server = RedisServer(tmp_path)
    yield server
    if server.process.poll() is None:
        server.stop(signal.SIGKILL)


@pytest.fixture(params=["embedded", pytest.param("redis", marks=pytest.mark.redis)])
def form(request):
    return request.param


class Place:
    """A queue, the workers on it, and what their jobs did."""

    def __init__(self, folder, redis_url=""):
        self.folder = folder
        self.redis_url = redis_url
        self.log = folder / "log"
        self.workers = []
        self.queue = open_queue(self.settings())

    def settings(self, **more):
        about = {"dredge_data": self.folder / "data", "redis_url": self.redis_url, "job_lease": LEASE, "worker_grace": 20}
        return Settings(**about | more)

    def launch_worker(self, concurrency=1, answers_lost=0, **settings):
        """A worker process."""
        process = subprocess.Popen(
            [sys.executable, str(WORKER), str(concurrency), str(answers_lost)], cwd=self.folder, stderr=self.log.open("a"),
            env=os.environ | self.settings(**settings).environment() | {"JOBS_FOLDER": str(self.folder)})
        self.workers.append(process)
        return process

    def start_worker(self, concurrency=1, **more):
        """A worker process, once it has said that it is there."""
        process = self.launch_worker(concurrency, **more)
        wait_until(lambda: process.poll() is not None or process.pid in {worker.pid for worker in self.queue.workers()},
                   "the worker")
        return process

    def open_gate(self, name):
        (self.folder / f"gate-{name}").touch()

    def events(self, what=None, job=None):
        """What handlers noted, in order."""
        file = self.folder / "events"
        lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        return [line for line in lines if what in (None, line["what"]) and job in (None, line["job"])]

    def started(self, id, times=1):
        """Wait until a job has started so often; what its handler noted first the last time."""
        return wait_until(lambda: len(starts := self.events("start", id)) >= times and starts, f"start {times} of {id}")[-1]

    def in_state(self, id, *states, seconds=30):
        """Wait until a job is in one of the states."""
        return wait_until(lambda: (job := self.queue.job(id)).state in states and job, f"{id} to be {states}", seconds)

    def ended(self, id, seconds=30):
        return self.in_state(id, "done", "failed", "cancelled", seconds=seconds)

    def clean_up(self):
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
                worker.wait()


@pytest.fixture
def place(form, request, tmp_path):
    """An empty queue, of either form."""
    made = Place(tmp_path, request.getfixturevalue("redis_server").url if form == "redis" else "")
    yield made
    made.clean_up()


@pytest.fixture
def redis_place(redis_server, tmp_path):
    """An empty queue on Redis."""
    made = Place(tmp_path, redis_server.url)
    yield made
    made.clean_up()


@pytest.fixture
def lease():
    return LEASE
