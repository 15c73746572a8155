"""What only the queue on Redis can go through, and how RQ's own tools see it."""

import signal
import threading
import time

import pytest
import redis
import rq
from rq.job import Job as RQJob
from rq.serializers import JSONSerializer

from dredge.errors import InvalidInput, InvalidSetting, QueueUnavailable
from dredge.jobs import open_queue
from dredge.settings import Settings

pytestmark = pytest.mark.redis


def test_a_job_outlives_a_redis_that_was_away_longer_than_its_lease_and_runs_once(redis_place, redis_server, until, lease):
    job = redis_place.queue.submit("gated", {"gate": "open"})
    redis_place.start_worker()
    redis_place.started(job.id)
    redis_place.start_worker()  # one that would take the job over

    redis_server.stop()
    gone = time.monotonic()
    with pytest.raises(QueueUnavailable, match=r"does not answer: .*\. Is Redis running\?"):
        redis_place.queue.job(job.id)
    redis_place.open_gate("open")
    until(lambda: time.monotonic() > gone + 1.5 * lease, "the lease to run out")
    redis_server.start()

    ended = redis_place.ended(job.id)
    assert (ended.state, ended.attempts) == ("done", 1)
    assert [event["what"] for event in redis_place.events()] == ["start", "written"]
    assert all(worker.poll() is None for worker in redis_place.workers)


def test_an_idle_worker_stops_at_once_though_redis_was_never_there(redis_place, redis_server, until):
    redis_server.stop()
    worker = redis_place.launch_worker()
    until(lambda: "does not answer" in redis_place.log.read_text(), "the first attempt")
    worker.terminate()
    worker.wait(10)  # far less than its grace and a lease


def test_a_password_that_is_put_right_in_its_file_needs_no_restart(redis_server, tmp_path, monkeypatch):
    with redis.Redis.from_url(redis_server.url) as admin:
        admin.config_set("requirepass", "right")
    file = tmp_path / "url"
    file.write_text(redis_server.url.replace("redis://", "redis://:wrong@"))
    monkeypatch.setenv("REDIS_URL_FILE", str(file))
    queue = open_queue(Settings.load())
    with pytest.raises(QueueUnavailable, match=r"refuses the password: .*REDIS_URL_FILE"):
        queue.depth()
    file.write_text(redis_server.url.replace("redis://", "redis://:right@"))
    assert queue.depth().queued == 0


def test_a_job_that_was_running_when_redis_was_killed_is_done_once(redis_place, redis_server):
    job = redis_place.queue.submit("gated", {"gate": "open"})
    redis_place.start_worker()
    redis_place.started(job.id)
    redis_place.start_worker()

    redis_server.stop(signal.SIGKILL)
    redis_server.start()
    redis_place.open_gate("open")

    ended = redis_place.ended(job.id)
    assert (ended.state, ended.attempts) == ("done", 1)
    assert len(redis_place.events("written")) == 1


def test_no_job_that_was_accepted_is_lost_when_redis_is_killed_amid_a_burst(redis_place, redis_server, until):
    redis_place.start_worker(concurrency=2)
    accepted, refused, enough = [], [], threading.Event()

    def burst():
        while not enough.is_set() or len(accepted) < 60:
            try:
                accepted.append(redis_place.queue.submit("echo", {}, priority=len(accepted) % 3 - 1).id)
            except QueueUnavailable:
                refused.append(1)

    submitting = threading.Thread(target=burst)
    submitting.start()
    until(lambda: len(accepted) > 20, "the burst")
    redis_server.stop(signal.SIGKILL)
    until(lambda: refused, "a refusal")
    redis_server.start()
    enough.set()
    submitting.join(30)

    for id in accepted:
        assert redis_place.ended(id, 60).state == "done"
    depth = redis_place.queue.depth()
    assert (depth.queued, depth.running) == (0, 0)


def test_a_worker_that_starts_before_redis_waits_for_it(redis_place, redis_server, until):
    redis_server.stop()
    redis_place.launch_worker()
    until(lambda: "does not answer" in redis_place.log.read_text(), "the first attempt")
    redis_server.start()
    assert redis_place.ended(redis_place.queue.submit("echo", {}).id).state == "done"


def test_a_worker_can_be_stopped_while_redis_is_away(redis_place, redis_server, until):
    worker = redis_place.start_worker()
    redis_server.stop()
    worker.terminate()
    assert worker.wait(20) == 0

    redis_server.start()
    job = redis_place.queue.submit("gated", {"gate": "open"})
    worker = redis_place.start_worker(worker_grace=0.3)
    redis_place.started(job.id)
    redis_server.stop()
    worker.terminate()
    assert worker.wait(20) == 0, "it does not wait for Redis for ever"

    redis_server.start()
    redis_place.open_gate("open")
    redis_place.start_worker()
    assert redis_place.ended(job.id).state == "done"


def test_nothing_expires_before_a_job_has_ended(redis_place, redis_server):
    connection = redis.Redis.from_url(redis_server.url)
    waiting = redis_place.queue.submit("echo", {}, id="waits")
    running = redis_place.queue.submit("gated", {"gate": "open"}, id="runs", priority=1)
    redis_place.start_worker()
    redis_place.started(running.id)
    keys = [key for key in connection.scan_iter() if b":worker" not in key]
    assert [key for key in keys if connection.ttl(key) != -1] == []

    redis_place.open_gate("open")
    for id in (waiting.id, running.id):
        redis_place.ended(id)
        assert connection.ttl(f"rq:job:{id}") > 86_400


def test_tools_of_rq_see_jobs_lists_and_workers(redis_place, redis_server):
    connection = redis.Redis.from_url(redis_server.url)
    done = redis_place.queue.submit("echo", {"n": 1})
    failed = redis_place.queue.submit("hopeless", {})
    urgent = redis_place.queue.submit("gated", {"gate": "never"}, priority=1)
    for priority in (0, 0, -1):
        redis_place.queue.submit("gated", {"gate": "never"}, priority=priority)
    assert [connection.llen(f"rq:queue:dredge-{name}") for name in ("high", "default", "low")] == [1, 4, 1]
    assert {queue.name for queue in rq.Queue.all(connection)} == {"dredge-high", "dredge-default", "dredge-low"}
    assert rq.Queue("dredge-default", connection=connection, serializer=JSONSerializer).jobs[0].id == done.id

    worker = redis_place.start_worker(concurrency=2)
    redis_place.started(urgent.id)
    [listed] = rq.Worker.all(connection)
    assert listed.pid == worker.pid

    running = rq.Queue("dredge-high", connection=connection).started_job_registry
    assert running.get_job_ids(cleanup=False) == [urgent.id]
    redis_place.ended(done.id)
    redis_place.ended(failed.id)
    seen = RQJob.fetch(done.id, connection=connection, serializer=JSONSerializer)
    assert (seen.is_finished, seen.kwargs, seen.func_name) == (True, {"n": 1}, "dredge.echo")
    seen = RQJob.fetch(failed.id, connection=connection, serializer=JSONSerializer)
    assert seen.is_failed
    assert failed.id in rq.Queue("dredge-default", connection=connection).failed_job_registry.get_job_ids()


def test_an_id_holds_what_keys_of_redis_can_hold(redis_place):
    with pytest.raises(InvalidInput) as refused:
        redis_place.queue.submit("echo", {}, id="a:b")
    assert refused.value.field == "id"


def test_an_address_that_is_none_is_refused_by_its_name(tmp_path):
    with pytest.raises(InvalidSetting, match="REDIS_URL"):
        open_queue(Settings(dredge_data=tmp_path, redis_url="http://somewhere"))
