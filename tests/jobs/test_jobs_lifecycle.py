"""A job from its submission to its end, the same on both forms of the queue."""

import os
import signal
import socket

import psutil
import pytest

from dredge.errors import Busy, Conflict, InvalidInput, JobNotFound, QueueUnavailable
from dredge.jobs import open_queue


def test_a_job_runs_and_its_result_stays(place):
    job = place.queue.submit("echo", {"text": "grüß dich"}, priority=2, time_limit=60, retries=1, trace={"traceparent": "00-1"})
    assert (job.state, job.kind, job.payload, job.attempts) == ("queued", "echo", {"text": "grüß dich"}, 0)
    assert (job.priority, job.time_limit, job.retries, job.trace) == (2, 60, 1, {"traceparent": "00-1"})
    assert job.started is None and job.result is None

    worker = place.start_worker()

    done = place.ended(job.id)
    assert done.state == "done"
    assert done.result["heard"] == {"text": "grüß dich"}
    assert done.result["pid"] != worker.pid
    assert done.progress.fraction == 1
    assert done.reason is None and done.owner is None
    assert done.attempts == 1
    assert done.created <= done.started <= done.finished


def test_progress_is_seen_while_the_job_runs(place, until):
    job = place.queue.submit("stages", {})
    place.start_worker()

    seen = until(lambda: (now := place.queue.job(job.id)).progress.fraction and now, "progress")
    assert seen.state == "running"
    assert seen.progress.model_dump() == {"fraction": 0.5, "stage": "half", "error": 0.25, "message": "on the way"}

    place.open_gate("stages")
    assert place.ended(job.id).progress.stage == "half"


def test_following_a_job_shows_each_change_until_its_end(place):
    job = place.queue.submit("echo", {})
    following = place.queue.follow(job.id, timeout=30)
    assert next(following).state == "queued"
    place.start_worker()
    assert [job.state for job in following][-1] == "done"


def test_following_ends_with_its_time(place):
    job = place.queue.submit("echo", {})
    assert [seen.state for seen in place.queue.follow(job.id, timeout=0.1)] == ["queued"]


def test_the_same_id_twice_gives_the_first_job(place):
    first = place.queue.submit("echo", {"n": 1}, id="mine")
    assert place.queue.submit("echo", {"n": 2}, id="mine") == first
    assert place.queue.depth().queued == 1

    place.start_worker()
    place.ended("mine")
    assert place.queue.submit("echo", {"n": 3}, id="mine").result["heard"] == {"n": 1}


def test_higher_priorities_run_first_and_equal_ones_in_order(place):
    for name, priority in [("low", -1), ("first", 0), ("second", 0), ("high", 5)]:
        place.queue.submit("echo", {}, id=name, priority=priority)
    place.start_worker()
    place.ended("low")
    assert [event["job"] for event in place.events("start")] == ["high", "first", "second", "low"]


def test_pages_hold_every_job_once_newest_first(place):
    ids = [place.queue.submit("echo", {}).id for _ in range(7)]
    place.queue.cancel(ids[3])

    pages, cursor = [], None
    while True:
        page, cursor = place.queue.jobs(cursor=cursor, limit=3)
        pages.append([job.id for job in page])
        if cursor is None:
            break
        place.queue.submit("echo", {})  # what comes later shifts no page
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [id for page in pages for id in page] == ids[::-1]

    assert [job.id for job in place.queue.jobs(state="cancelled")[0]] == [ids[3]]
    some, more = place.queue.jobs(state="queued", limit=7)
    rest, end = place.queue.jobs(state="queued", limit=7, cursor=more)
    assert (len(some), len(rest), end) == (7, 1, None)
    assert ids[3] not in [job.id for job in some + rest]
    assert place.queue.jobs(state="done") == ([], None)


def test_a_cursor_that_no_page_gave_and_a_page_of_no_sensible_size_are_refused(place):
    for cursor in ("x", "-1", "1.5", "", "9" * 40, "(3", "٣"):
        with pytest.raises(InvalidInput) as refused:
            place.queue.jobs(cursor=cursor)
        assert refused.value.field == "cursor"
    for limit in (0, -1, 501):
        with pytest.raises(InvalidInput) as refused:
            place.queue.jobs(limit=limit)
        assert refused.value.field == "limit"


def test_an_id_that_no_job_has_is_not_found(place):
    for ask in (place.queue.job, place.queue.cancel):
        with pytest.raises(JobNotFound, match="no job 'nobody'"):
            ask("nobody")


def test_cancelling_a_job_that_waits_ends_it_at_once(place):
    job = place.queue.submit("echo", {}, id="unwanted")
    cancelled = place.queue.cancel(job.id)
    assert (cancelled.state, cancelled.reason) == ("cancelled", "cancelled")
    assert cancelled.finished is not None

    place.start_worker()
    place.ended(place.queue.submit("echo", {}).id)
    assert place.events(job="unwanted") == []


def test_cancelling_a_job_that_runs_kills_its_process(place):
    job = place.queue.submit("gated", {"gate": "never"})
    place.start_worker()
    pid = place.started(job.id)["pid"]

    place.queue.cancel(job.id)

    assert place.ended(job.id).state == "cancelled"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_cancelling_a_job_that_has_ended_is_a_conflict(place):
    job = place.queue.submit("echo", {})
    place.start_worker()
    place.ended(job.id)
    with pytest.raises(Conflict, match="has ended already: done"):
        place.queue.cancel(job.id)

    waiting = place.queue.submit("gated", {"gate": "never"})
    place.queue.cancel(waiting.id)
    place.in_state(waiting.id, "cancelled")
    with pytest.raises(Conflict, match="cancelled"):
        place.queue.cancel(waiting.id)


def test_a_job_that_was_cancelled_is_not_run_again_when_its_handler_notices_first(place, until):
    job = place.queue.submit("gated", {"gate": "soon"})
    worker = place.start_worker()
    place.started(job.id)

    worker.send_signal(signal.SIGSTOP)  # the worker hears of nothing, its child does
    place.queue.cancel(job.id)
    place.open_gate("soon")
    child = psutil.Process(place.events("start")[0]["pid"])
    until(lambda: child.status() == psutil.STATUS_ZOMBIE, "the end of the child")
    worker.send_signal(signal.SIGCONT)

    ended = place.ended(job.id)
    assert (ended.state, ended.reason) == ("cancelled", "cancelled")
    assert [event["what"] for event in place.events()] == ["start", "stopped"]


def test_a_job_over_its_time_is_killed(place):
    job = place.queue.submit("gated", {"gate": "never"}, time_limit=0.5)
    place.start_worker()
    ended = place.ended(job.id)
    assert (ended.state, ended.reason) == ("failed", "it ran into its time limit of 0.5 s")
    assert ended.attempts == 1
    with pytest.raises(ProcessLookupError):
        os.kill(place.events("start")[0]["pid"], 0)


def test_a_full_queue_refuses_and_says_when_to_come_back(place):
    queue = open_queue(place.settings(max_queued_jobs=2))
    queue.submit("echo", {}, id="a")
    queue.submit("echo", {})
    with pytest.raises(Busy, match="2 jobs are waiting") as refused:
        queue.submit("echo", {})
    assert refused.value.retry_after > 0
    assert queue.submit("echo", {}, id="a").id == "a", "one that is there already is no further one"

    queue.cancel("a")
    queue.submit("echo", {})


def test_depth_counts_what_waits_and_runs(place, until):
    assert place.queue.depth().model_dump() == {"queued": 0, "running": 0, "oldest_seconds": 0.0, "by_state": {}}

    done = place.queue.submit("echo", {})
    worker = place.start_worker()
    place.ended(done.id)
    place.started(place.queue.submit("gated", {"gate": "depth"}).id)
    waiting = place.queue.submit("echo", {})
    place.queue.submit("echo", {}, priority=-1)
    until(lambda: place.queue.depth().oldest_seconds > 0.1, "time to pass")

    depth = place.queue.depth()
    assert (depth.queued, depth.running) == (2, 1)
    assert depth.by_state == {"queued": 2, "running": 1, "done": 1}
    assert depth.oldest_seconds < 30

    place.queue.cancel(waiting.id)
    assert place.queue.depth().by_state == {"queued": 1, "running": 1, "done": 1, "cancelled": 1}
    assert worker.poll() is None


def test_workers_are_listed_while_they_live(place, until, lease):
    assert place.queue.workers() == []
    place.queue.check()
    first = place.start_worker(concurrency=3)
    second = place.start_worker()

    listed = {worker.pid: worker for worker in place.queue.workers()}
    assert listed.keys() == {first.pid, second.pid}
    assert listed[first.pid].concurrency == 3
    assert listed[first.pid].host == socket.gethostname()

    first.terminate()
    assert first.wait(20) == 0
    assert [worker.pid for worker in place.queue.workers()] == [second.pid]
    second.kill()
    until(lambda: not place.queue.workers(), "the killed worker to be forgotten", 4 * lease)


def test_a_queue_that_is_not_there_is_said_in_a_sentence(place, form, redis_server_gone):
    away = open_queue(redis_server_gone)
    for ask in (away.check, away.depth, away.workers, away.jobs, lambda: away.job("x"), lambda: away.submit("echo", {})):
        with pytest.raises(QueueUnavailable) as refused:
            ask()
        assert refused.value.message.endswith(".") and "does not answer" in refused.value.message
        assert refused.value.hint.endswith(".") or refused.value.hint.endswith("?")
        assert "secret" not in str(refused.value)


@pytest.fixture
def redis_server_gone(place, form, tmp_path):
    """Settings of a queue that cannot be reached."""
    if form == "embedded":
        (tmp_path / "file").touch()
        return place.settings(dredge_data=tmp_path / "file")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return place.settings(redis_url=f"redis://:secret@127.0.0.1:{port}/0")


def test_one_worker_runs_several_jobs_at_once(place):
    jobs = [place.queue.submit("gated", {"gate": "both"}) for _ in range(2)]
    place.start_worker(concurrency=2)
    for job in jobs:
        place.started(job.id)
    place.open_gate("both")
    assert {place.ended(job.id).state for job in jobs} == {"done"}
    assert len({event["worker"] for event in place.events("start")}) == 1
